// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "io/json.hpp"
#include "text/tokenizer_json.hpp"

namespace mor {
namespace {

constexpr int kMostTokens = 1 << 20;

/// Token -> id. The keys refer to the parsed file.
using Vocabulary = std::unordered_map<std::string_view, int>;

Vocabulary read_vocabulary(const Field& vocab) {
    if (!vocab.json().is_object() || vocab.json().empty()) vocab.refuse("an object of at least one token");
    Vocabulary ids;
    std::vector<bool> taken;
    for (const auto& [token, value] : vocab.json().get_ref<const Json::object_t&>()) {
        const Field field = vocab.at(token);
        if (token.empty()) field.refuse("a token of at least one character", "none");
        const auto id = static_cast<std::size_t>(field.integer(0, kMostTokens - 1));
        if (id >= taken.size()) taken.resize(id + 1);
        if (taken[id]) field.refuse("an id of its own", std::to_string(id) + ", which another token has too");
        taken[id] = true;
        ids.emplace(token, static_cast<int>(id));
    }
    return ids;
}

/// The two halves of ["a", "b"], or of "a b" as older files have it.
std::array<std::string_view, 2> halves_of(const Field& merge) {
    if (merge.json().is_array()) {
        if (merge.size() != 2) merge.refuse("two tokens");
        return {merge.item(0).text(), merge.item(1).text()};
    }
    const std::string_view text = merge.text();
    const auto blank = text.find(' ');
    if (blank == text.npos || text.find(' ', blank + 1) != text.npos) merge.refuse("two tokens with a blank between them");
    return {text.substr(0, blank), text.substr(blank + 1)};
}

int id_of(const Field& merge, const Vocabulary& ids, std::string_view token) {
    const auto it = ids.find(token);
    if (it == ids.end()) merge.refuse("tokens of model.vocab", describe(Json(token)) + ", which is not there");
    return it->second;
}

std::vector<BpeMerge> read_merges(const Field& list, const Vocabulary& ids) {
    std::vector<BpeMerge> merges;
    merges.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Field merge = list.item(i);
        // Files converted from merges.txt may still have its first line.
        if (merge.json().is_string() && merge.text().starts_with("#version")) continue;
        const auto [left, right] = halves_of(merge);
        merges.push_back(
            {id_of(merge, ids, left), id_of(merge, ids, right), id_of(merge, ids, std::string(left) + std::string(right))});
    }
    return merges;
}

std::vector<std::string> by_id(const Vocabulary& ids) {
    std::vector<std::string> tokens;
    for (const auto& [token, id] : ids) {
        if (static_cast<std::size_t>(id) >= tokens.size()) tokens.resize(static_cast<std::size_t>(id) + 1);
        tokens[static_cast<std::size_t>(id)] = token;
    }
    return tokens;
}

}  // namespace

BpeModel read_bpe_model(const Field& model) {
    if (model.at("type").text() != "BPE") model.at("type").refuse("\"BPE\", the only model of this build");
    refuse_unknown_members(model, {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                                   "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
    require_absent(model, "dropout", "merging at random is not implemented");
    require_absent(model, "continuing_subword_prefix", "marks on parts of words are not implemented");
    require_absent(model, "end_of_word_suffix", "marks on ends of words are not implemented");
    if (flag_of(model, "byte_fallback", false)) model.at("byte_fallback").refuse("false (the alphabet has every byte)");
    const Vocabulary ids = read_vocabulary(model.at("vocab"));
    BpeModel result{.tokens = by_id(ids), .merges = read_merges(model.at("merges"), ids)};
    if (const auto unknown = model.find("unk_token")) {
        const auto it = ids.find(unknown->text());
        if (it == ids.end()) unknown->refuse("null or a token of model.vocab");
        result.unknown = it->second;
    }
    result.fuse_unknown = flag_of(model, "fuse_unk", false);
    result.ignore_merges = flag_of(model, "ignore_merges", false);
    return result;
}

}  // namespace mor
