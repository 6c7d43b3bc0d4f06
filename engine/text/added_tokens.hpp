// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mor {

/// A token that is found in the text before anything else is done with it.
struct AddedToken {
    std::string content;
    int id = 0;
    bool lstrip = false;      ///< takes the white space in front of it along
    bool rstrip = false;      ///< and behind it
    bool normalized = false;  ///< looked for after the others
    bool special = false;     ///< controls the model; no part of the text
};

/// Finds a set of added tokens in text, always the longest that begins at a place. Immutable.
class AddedTokenFinder {
public:
    /// Contents must differ and not be empty.
    explicit AddedTokenFinder(std::vector<AddedToken>);

    /// Calls, in order, `found` for every token and `between` for the text between tokens, never with nothing.
    void split(std::string_view text, const std::function<void(const AddedToken&)>& found,
               const std::function<void(std::string_view)>& between) const;

private:
    const AddedToken* longest_at(std::string_view text) const;

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::uint64_t, std::uint32_t> edges_;  ///< node * 256 + byte -> node; node 0 is the root
    std::vector<int> ends_;                                   ///< [nodes] index of the token that ends here; -1: none
};

}  // namespace mor
