// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_config.hpp"

#include "io/json.hpp"
#include "io/mapped_file.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestConfig = 16u << 20;  // bytes; it may list thousands of added tokens

/// A chat template is a text, or a list of {name, template} of which "default" is meant.
std::optional<std::string> read_chat_template(const Field& root) {
    const auto field = root.find("chat_template");
    if (!field) return std::nullopt;
    if (!field->json().is_array()) return field->text();
    for (std::size_t i = 0; i < field->size(); ++i) {
        if (field->item(i).at("name").text() == "default") return field->item(i).at("template").text();
    }
    return std::nullopt;
}

}  // namespace

TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory) {
    const auto file = directory / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return {};
    const std::string name = file.string();
    const Json json = parse_json(read_text_file(file, kLargestConfig), name, "content");
    const Field root(json, name);
    TokenizerConfig config;
    if (const auto add = root.find("add_bos_token")) config.add_bos_token = add->boolean();
    // A token is its text, or an object with flags around it.
    if (const auto bos = root.find("bos_token")) {
        config.bos_token = bos->json().is_object() ? bos->at("content").text() : bos->text();
    }
    config.chat_template = read_chat_template(root);
    return config;
}

}  // namespace mor
