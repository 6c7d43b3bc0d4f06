// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer_json.hpp"

namespace mor {

/// Byte pair encoding of single pieces: starts from bytes and applies, again and again, the merge of lowest rank, the
/// leftmost first. Immutable.
class BytePairs {
public:
    explicit BytePairs(const BpeModel&);

    /// Appends the ids of one piece of text.
    void encode(std::string_view piece, std::vector<int>& ids) const;

private:
    struct Merge {
        int rank, result;
    };

    std::vector<int> bytes_to_ids(std::string_view piece) const;
    const Merge* merge_of(int left, int right) const;

    std::array<int, 256> byte_ids_{};  ///< -1: not in the vocabulary
    std::unordered_map<std::uint64_t, Merge> merges_;
    std::unordered_map<std::string, int> whole_;  ///< bytes of a token -> id; filled only with ignore_merges
    std::optional<int> unknown_;
    bool fuse_unknown_ = false;
};

}  // namespace mor
