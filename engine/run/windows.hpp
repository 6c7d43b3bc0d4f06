// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "mor/error.hpp"

namespace mor {

/// The disjoint windows in which a finished text is read: `context` tokens each, what is left at the end is dropped; a
/// shorter text is one window. Throws Error, beginning with `what`, when there is nothing to predict.
inline std::vector<std::span<const int>> text_windows(std::span<const int> tokens, int context, const char* what) {
    if (tokens.size() < 2)
        throw Error(std::string(what) + ": expected at least 2 tokens of text, got " + std::to_string(tokens.size()));
    const std::size_t size = std::min(static_cast<std::size_t>(context), tokens.size());
    std::vector<std::span<const int>> windows;
    for (std::size_t begin = 0; begin + size <= tokens.size(); begin += size)
        windows.push_back(tokens.subspan(begin, size));
    return windows;
}

}  // namespace mor
