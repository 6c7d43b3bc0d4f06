// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_json.hpp"

#include <algorithm>
#include <unordered_set>

#include "io/json.hpp"
#include "io/mapped_file.hpp"
#include "text/unicode_classes.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestFile = 128u << 20;  // bytes; 50,000 tokens take about 3 MB
constexpr std::size_t kMostAddedTokens = 1u << 16;
constexpr std::size_t kLongestAddedToken = 1024;  // bytes

AddedToken read_added_token(const Field& entry) {
    refuse_unknown_members(entry, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token;
    token.content = entry.at("content").text();
    if (token.content.empty() || token.content.size() > kLongestAddedToken) {
        entry.at("content").refuse("1 to " + std::to_string(kLongestAddedToken) + " bytes");
    }
    if (flag_of(entry, "single_word", false)) {
        entry.at("single_word").refuse("false (tokens that must be whole words are not implemented)");
    }
    token.lstrip = flag_of(entry, "lstrip", false);
    token.rstrip = flag_of(entry, "rstrip", false);
    token.normalized = flag_of(entry, "normalized", true);
    token.special = flag_of(entry, "special", false);
    return token;
}

/// A token that begins with white space could begin inside what another one swallows; `tokenizers` then yields
/// overlapping pieces.
void check_stripping(const Field& list, const std::vector<AddedToken>& tokens) {
    const bool any_rstrip = std::any_of(tokens.begin(), tokens.end(), [](const AddedToken& t) { return t.rstrip; });
    for (std::size_t i = 0; any_rstrip && i < tokens.size(); ++i) {
        if (leading_white_space(tokens[i].content) > 0) {
            list.item(i).at("content").refuse("no white space in front where another token has rstrip");
        }
    }
}

void check_end_sections(const Field& root) {
    for (const char* key : {"post_processor", "decoder"}) {
        const auto section = root.find(key);
        if (!section && std::string_view(key) == "decoder") root.at(key).refuse("an object of type ByteLevel");
        if (section && section->at("type").text() != "ByteLevel") {
            section->at("type").refuse("\"ByteLevel\", the only " + std::string(key) + " of this build");
        }
    }
}

}  // namespace

void refuse_unknown_members(const Field& object, const std::vector<std::string_view>& known) {
    if (!object.json().is_object()) object.refuse("an object");
    for (const auto& [key, value] : object.json().items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            object.at(key).refuse("no field of this name (it is not understood)");
        }
    }
}

void require_absent(const Field& object, std::string_view key, const std::string& why) {
    const auto field = object.find(key);
    if (!field || (field->json().is_string() && field->text().empty())) return;
    field->refuse("null (" + why + ")");
}

bool flag_of(const Field& object, std::string_view key, bool otherwise) {
    const auto field = object.find(key);
    return field ? field->boolean() : otherwise;
}

std::vector<AddedToken> read_added_tokens(const Field& list, const BpeModel& model) {
    std::unordered_map<std::string_view, int> vocabulary;
    for (std::size_t id = 0; id < model.tokens.size(); ++id) {
        if (!model.tokens[id].empty()) vocabulary.emplace(model.tokens[id], static_cast<int>(id));
    }
    if (list.size() > kMostAddedTokens) list.refuse("at most " + std::to_string(kMostAddedTokens) + " tokens");
    // Tokens that are not in the vocabulary follow it without a gap.
    int next = static_cast<int>(vocabulary.size());
    std::vector<AddedToken> tokens;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Field entry = list.item(i);
        AddedToken token = read_added_token(entry);
        if (!seen.insert(token.content).second) entry.at("content").refuse("a token that is not in the list yet");
        const auto known = vocabulary.find(token.content);
        token.id = known != vocabulary.end() ? known->second : next++;
        if (entry.at("id").integer(0, INT32_MAX) != token.id) {
            entry.at("id").refuse(std::to_string(token.id) +
                                  (known != vocabulary.end() ? ", its id in model.vocab" : ", the next free id"));
        }
        tokens.push_back(std::move(token));
    }
    check_stripping(list, tokens);
    return tokens;
}

TokenizerJson read_tokenizer_json(const std::filesystem::path& file) {
    const std::string name = file.string();
    const Json json = parse_json(read_text_file(file, kLargestFile), name, "content");
    const Field root(json, name);
    refuse_unknown_members(root, {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                                  "post_processor", "decoder", "model"});
    if (const auto version = root.find("version"); version && version->text() != "1.0") version->refuse("\"1.0\"");
    require_absent(root, "truncation", "truncated texts are not implemented");
    require_absent(root, "padding", "padding is not implemented");
    require_absent(root, "normalizer", "normalised texts are not implemented");
    check_end_sections(root);
    TokenizerJson result{.model = read_bpe_model(root.at("model")), .steps = read_pre_tokenizer(root.at("pre_tokenizer"))};
    if (root.find("added_tokens")) result.added = read_added_tokens(root.at("added_tokens"), result.model);
    return result;
}

}  // namespace mor
