// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace mor {

/// GPT-2's byte-level alphabet: every byte has a printable character, so that a vocabulary of any bytes can be written
/// as text. Printable Latin-1 bytes stand for themselves, the other 68 are U+0100 and up in ascending order: a blank is
/// U+0120.
const std::array<std::string, 256>& byte_alphabet();

/// The bytes that `token` stands for; nothing when it has a character outside the alphabet.
std::optional<std::string> bytes_of_token(std::string_view token);

}  // namespace mor
