// SPDX-License-Identifier: Apache-2.0
#include "mor/chat.hpp"

#include "io/json.hpp"
#include "io/mapped_file.hpp"
#include "mor/error.hpp"
#include "text/tokenizer_config.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestTemplate = 1u << 20;  // bytes

ChatTemplate read_parts(const std::filesystem::path& file) {
    const std::string name = file.string();
    const Json json = parse_json(read_text_file(file, kLargestTemplate), name, "content");
    const Field root(json, name);
    const ChatTemplate parts{root.at("system").text(), root.at("user_prefix").text(), root.at("user_suffix").text(),
                             root.at("assistant_prefix").text()};
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
        if (key != "system" && key != "user_prefix" && key != "user_suffix" && key != "assistant_prefix") {
            root.at(key).refuse("no field of this name (it is not understood)");
        }
    }
    return parts;
}

/// Jinja writes a line break inside a string as \n or as itself.
std::string with_line_breaks(std::string text) {
    for (std::size_t at = 0; (at = text.find("\\n", at)) != text.npos; ++at) text.replace(at, 2, 1, '\n');
    return text;
}

bool take(std::string_view& text, std::string_view beginning) {
    if (!text.starts_with(beginning)) return false;
    text.remove_prefix(beginning.size());
    return true;
}

/// ChatML as transformers models write it: one loop over the turns, with or without a default system message.
std::optional<ChatTemplate> recognise_chatml(const std::string& jinja) {
    const std::string whole = with_line_breaks(jinja);
    std::string_view rest = whole;
    ChatTemplate parts{{}, "<|im_start|>user\n", "<|im_end|>\n", "<|im_start|>assistant\n"};
    if (!take(rest, "{% for message in messages %}")) return std::nullopt;
    if (take(rest, "{% if loop.first and messages[0]['role'] != 'system' %}{{ '")) {
        const auto end = rest.find('\'');
        if (end == rest.npos) return std::nullopt;
        parts.system = rest.substr(0, end);
        rest.remove_prefix(end);
        if (!take(rest, "' }}{% endif %}") || parts.system.find('\\') != parts.system.npos) return std::nullopt;
    }
    const std::string_view turns =
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    if (rest != turns) return std::nullopt;
    return parts;
}

}  // namespace

std::string ChatTemplate::first_turn(std::string_view prompt) const {
    return system + user_prefix + std::string(prompt) + user_suffix + assistant_prefix;
}

std::optional<ChatTemplate> ChatTemplate::load(const std::filesystem::path& directory) {
    std::error_code ignored;
    const auto parts = directory / "chat_template.json";
    if (std::filesystem::exists(parts, ignored)) return read_parts(parts);
    std::optional<std::string> jinja;
    std::string file = (directory / "tokenizer_config.json").string(), field = "chat_template";
    if (const auto own = directory / "chat_template.jinja"; std::filesystem::exists(own, ignored)) {
        jinja = read_text_file(own, kLargestTemplate);
        file = own.string(), field = "content";
    } else {
        jinja = read_tokenizer_config(directory).chat_template;
    }
    if (!jinja) return std::nullopt;
    auto known = recognise_chatml(*jinja);
    if (!known) {
        throw bad_input(file, field, "a plain ChatML template, the only kind this build knows",
                        "another one (write its parts into chat_template.json)");
    }
    return known;
}

}  // namespace mor
