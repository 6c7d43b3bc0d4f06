// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mor {

enum class Utf8Status { Valid, Invalid, Incomplete };

/// What stands at the beginning of some bytes.
struct Utf8Unit {
    Utf8Status status;
    std::size_t length;  ///< of the character, of the maximal ill-formed subsequence, or of all bytes when Incomplete
};

/// Looks at the beginning of `bytes`, which must not be empty. Incomplete: the bytes end inside a character that
/// further bytes could complete (Unicode 15, table 3-7 and "U+FFFD substitution of maximal subparts").
Utf8Unit next_utf8(std::string_view bytes);

/// Where the first byte that is not UTF-8 stands.
std::optional<std::size_t> find_invalid_utf8(std::string_view bytes);

}  // namespace mor
