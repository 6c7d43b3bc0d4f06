// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mor {

/// Character classes as Hugging Face `tokenizers` 0.23 sees them, as the inside of a PCRE2 class ("[...]").
///
/// PCRE2's own \s has U+180E, which is no white space since Unicode 6.3. Its \p{L} and \p{N} follow the Unicode version
/// it was built with (14 in PCRE2 10.42), while `tokenizers` uses 16 for its patterns and 17 for digits; the characters
/// in between are listed here.
std::string letter_class();
std::string number_class();
std::string white_space_class();
std::string digit_class();  ///< of the Digits pre-tokenizer: numbers, newer ones too

/// Bytes of white space at the beginning, or at the end, of UTF-8 text.
std::size_t leading_white_space(std::string_view text);
std::size_t trailing_white_space(std::string_view text);

}  // namespace mor
