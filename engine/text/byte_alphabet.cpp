// SPDX-License-Identifier: Apache-2.0
#include "text/byte_alphabet.hpp"

#include <unordered_map>

#include "text/utf8.hpp"

namespace mor {
namespace {

bool stands_for_itself(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

/// UTF-8 of a code point below U+0800.
std::string encode(int code_point) {
    if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
    return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

std::array<std::string, 256> make_alphabet() {
    std::array<std::string, 256> alphabet;
    int next = 0x100;
    for (int byte = 0; byte < 256; ++byte) alphabet[byte] = encode(stands_for_itself(byte) ? byte : next++);
    return alphabet;
}

std::unordered_map<std::string_view, char> make_inverse() {
    std::unordered_map<std::string_view, char> inverse;
    for (int byte = 0; byte < 256; ++byte) inverse.emplace(byte_alphabet()[byte], static_cast<char>(byte));
    return inverse;
}

}  // namespace

const std::array<std::string, 256>& byte_alphabet() {
    static const auto alphabet = make_alphabet();
    return alphabet;
}

std::optional<std::string> bytes_of_token(std::string_view token) {
    static const auto inverse = make_inverse();
    std::string bytes;
    while (!token.empty()) {
        const std::size_t length = next_utf8(token).length;
        const auto it = inverse.find(token.substr(0, length));
        if (it == inverse.end()) return std::nullopt;
        bytes += it->second;
        token.remove_prefix(length);
    }
    return bytes;
}

}  // namespace mor
