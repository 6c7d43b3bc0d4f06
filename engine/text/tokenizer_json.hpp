// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/pre_tokenizer.hpp"

namespace mor {

class Field;

/// Two neighbouring tokens that become one.
struct BpeMerge {
    int left = 0, right = 0, result = 0;
};

/// The `model` of a tokenizer.json: byte pair encoding over a byte-level alphabet.
struct BpeModel {
    std::vector<std::string> tokens;  ///< [ids] in the byte alphabet; empty where no token has the id
    std::vector<BpeMerge> merges;     ///< by rank: the first one wins
    std::optional<int> unknown;       ///< stands for a byte that is not in the vocabulary; unset: such bytes are dropped
    bool fuse_unknown = false;        ///< one for a run of such bytes
    bool ignore_merges = false;       ///< a whole piece that is a token is taken as it is
};

/// tokenizer.json (Hugging Face), checked: what this build does not understand is refused, because ignoring it would
/// give other ids.
struct TokenizerJson {
    BpeModel model;
    std::vector<AddedToken> added;
    std::vector<CutStep> steps;
};

TokenizerJson read_tokenizer_json(const std::filesystem::path& file);

/// Its sections. `model` fills what `added_tokens` is held against.
BpeModel read_bpe_model(const Field& model);
std::vector<AddedToken> read_added_tokens(const Field& list, const BpeModel& model);
std::vector<CutStep> read_pre_tokenizer(const Field& pre_tokenizer);

/// Refuses an object with a member that is not among `known`.
void refuse_unknown_members(const Field& object, const std::vector<std::string_view>& known);

/// Refuses a present member that is not null (nor an empty string); `why` says what it would do.
void require_absent(const Field& object, std::string_view key, const std::string& why);

/// A member that may be absent, which means `otherwise`.
bool flag_of(const Field& object, std::string_view key, bool otherwise);

}  // namespace mor
