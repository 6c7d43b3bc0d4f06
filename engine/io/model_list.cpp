// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "io/json.hpp"
#include "io/mapped_file.hpp"
#include "mor/error.hpp"
#include "mor/model.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestCard = 1u << 20;  // bytes

/// "expert choice, 3 recursions", "3 recursions" without a router, "vanilla".
std::string kind_of(const MorConfig& mor) {
    if (mor.sharing == Sharing::None) return "vanilla";
    std::string kind;
    if (mor.routing == Routing::ExpertChoice) kind = "expert choice, ";
    if (mor.routing == Routing::TokenChoice) kind = "token choice, ";
    kind += std::to_string(mor.num_recursion) + (mor.num_recursion == 1 ? " recursion" : " recursions");
    if (mor.kv_policy == KvPolicy::RecursiveSharing) kind += ", KV sharing";
    return kind;
}

void read_card(const std::filesystem::path& card, ModelCard& model) {
    std::error_code ignored;
    if (!std::filesystem::exists(card, ignored)) return;
    const std::string file = card.string();
    const Json json = parse_json(read_text_file(card, kLargestCard), file, "content");
    const Field root(json, file);
    if (const auto name = root.find("name"); name && !name->text().empty()) model.name = name->text();
    if (const auto summary = root.find("summary")) model.summary = summary->text();
    if (const auto prompt = root.find("prompt")) model.prompt = prompt->text();
}

/// The last part of the path, also of "models/demo/" and ".".
std::string directory_name(const std::filesystem::path& directory) {
    std::error_code ignored;
    auto whole = std::filesystem::weakly_canonical(directory, ignored);
    if (!whole.has_filename()) whole = whole.parent_path();
    return whole.filename().empty() ? directory.string() : whole.filename().string();
}

}  // namespace

ModelCard describe_model(const std::filesystem::path& directory) {
    ModelCard model;
    model.directory = directory;
    model.name = directory_name(directory);
    model.kind = kind_of(read_config(directory).mor);
    read_card(directory / "card.json", model);
    return model;
}

std::vector<ModelCard> list_models(const std::filesystem::path& root) {
    std::vector<ModelCard> models;
    std::error_code error;
    std::filesystem::directory_iterator it(root, error), end;
    for (; !error && it != end; it.increment(error)) {
        try {
            if (std::filesystem::exists(it->path() / "config.json", error)) models.push_back(describe_model(it->path()));
        } catch (const Error&) {
            continue;  // a chooser offers what can be loaded
        }
    }
    std::ranges::sort(models, {}, &ModelCard::name);
    return models;
}

}  // namespace mor
