// SPDX-License-Identifier: Apache-2.0
#include "text/unicode_classes.hpp"

#include <algorithm>
#include <array>

namespace mor {
namespace {

/// Letters of Unicode 15 to 16.
constexpr const char* kNewLetters =
    "\\x{1C89}-\\x{1C8A}\\x{A7CB}-\\x{A7CD}\\x{A7DA}-\\x{A7DC}\\x{105C0}-\\x{105F3}\\x{10D4A}-\\x{10D65}"
    "\\x{10D6F}-\\x{10D85}\\x{10EC2}-\\x{10EC4}\\x{1123F}-\\x{11240}\\x{11380}-\\x{11389}\\x{1138B}"
    "\\x{1138E}\\x{11390}-\\x{113B5}\\x{113B7}\\x{113D1}\\x{113D3}\\x{11BC0}-\\x{11BE0}\\x{11F02}"
    "\\x{11F04}-\\x{11F10}\\x{11F12}-\\x{11F33}\\x{1342F}\\x{13441}-\\x{13446}\\x{13460}-\\x{143FA}"
    "\\x{16100}-\\x{1611D}\\x{16D40}-\\x{16D6C}\\x{18CFF}\\x{1B132}\\x{1B155}\\x{1DF25}-\\x{1DF2A}"
    "\\x{1E030}-\\x{1E06D}\\x{1E4D0}-\\x{1E4EB}\\x{1E5D0}-\\x{1E5ED}\\x{1E5F0}\\x{2B739}"
    "\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}";

/// Numbers of Unicode 15 to 16.
constexpr const char* kNewNumbers =
    "\\x{10D40}-\\x{10D49}\\x{116D0}-\\x{116E3}\\x{11BF0}-\\x{11BF9}\\x{11F50}-\\x{11F59}"
    "\\x{16130}-\\x{16139}\\x{16D70}-\\x{16D79}\\x{1CCF0}-\\x{1CCF9}\\x{1D2C0}-\\x{1D2D3}"
    "\\x{1E4F0}-\\x{1E4F9}\\x{1E5F1}-\\x{1E5FA}";

/// Numbers of Unicode 17.
constexpr const char* kNewestNumbers = "\\x{11DE0}-\\x{11DE9}\\x{16FF4}-\\x{16FF6}";

/// Property White_Space in UTF-8.
constexpr std::array<std::string_view, 25> kWhiteSpaceCharacters = {
    "\t",           "\n",           "\v",           "\f",           "\r",           " ",
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
    "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
    "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
    "\xE3\x80\x80"};

}  // namespace

std::string letter_class() { return std::string("\\p{L}") + kNewLetters; }

std::string number_class() { return std::string("\\p{N}") + kNewNumbers; }

std::string digit_class() { return number_class() + kNewestNumbers; }

std::string white_space_class() {
    return "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
}

std::size_t leading_white_space(std::string_view text) {
    std::size_t at = 0;
    const auto here = [&](std::string_view c) { return text.substr(at).starts_with(c); };
    for (;;) {
        const auto it = std::find_if(kWhiteSpaceCharacters.begin(), kWhiteSpaceCharacters.end(), here);
        if (it == kWhiteSpaceCharacters.end()) return at;
        at += it->size();
    }
}

std::size_t trailing_white_space(std::string_view text) {
    std::size_t length = 0;
    const auto here = [&](std::string_view c) { return text.substr(0, text.size() - length).ends_with(c); };
    for (;;) {
        const auto it = std::find_if(kWhiteSpaceCharacters.begin(), kWhiteSpaceCharacters.end(), here);
        if (it == kWhiteSpaceCharacters.end()) return length;
        length += it->size();
    }
}

}  // namespace mor
