// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "mor/tokenizer.hpp"

namespace mor {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes after a lead byte, and the range of the first of them; the others are 80..BF. length 0: no lead byte.
struct Lead {
    std::size_t length;
    std::uint8_t least, most;
};

Lead lead_of(std::uint8_t b) {
    if (b >= 0xC2 && b <= 0xDF) return {2, 0x80, 0xBF};
    if (b == 0xE0) return {3, 0xA0, 0xBF};  // no overlong forms
    if (b == 0xED) return {3, 0x80, 0x9F};  // no surrogates
    if (b >= 0xE1 && b <= 0xEF) return {3, 0x80, 0xBF};
    if (b == 0xF0) return {4, 0x90, 0xBF};
    if (b >= 0xF1 && b <= 0xF3) return {4, 0x80, 0xBF};
    if (b == 0xF4) return {4, 0x80, 0x8F};  // nothing beyond U+10FFFF
    return {0, 0, 0};
}

}  // namespace

Utf8Unit next_utf8(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (byte(0) < 0x80) return {Utf8Status::Valid, 1};
    const Lead lead = lead_of(byte(0));
    if (lead.length == 0) return {Utf8Status::Invalid, 1};
    for (std::size_t i = 1; i < lead.length; ++i) {
        if (i == bytes.size()) return {Utf8Status::Incomplete, i};
        const bool fits = i == 1 ? byte(1) >= lead.least && byte(1) <= lead.most : byte(i) >= 0x80 && byte(i) <= 0xBF;
        if (!fits) return {Utf8Status::Invalid, i};
    }
    return {Utf8Status::Valid, lead.length};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const auto unit = next_utf8(bytes.substr(at));
        if (unit.status != Utf8Status::Valid) return at;
        at += unit.length;
    }
    return std::nullopt;
}

std::size_t complete_utf8_prefix(std::string_view bytes) {
    // Only the last three bytes can belong to an unfinished character, and it begins at a lead byte.
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const std::size_t at = bytes.size() - back;
        const bool continuation = (static_cast<std::uint8_t>(bytes[at]) & 0xC0) == 0x80;
        if (continuation) continue;
        return next_utf8(bytes.substr(at)).status == Utf8Status::Incomplete ? at : bytes.size();
    }
    return bytes.size();
}

std::string repair_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto unit = next_utf8(bytes);
        text += unit.status == Utf8Status::Valid ? bytes.substr(0, unit.length) : kReplacement;
        bytes.remove_prefix(unit.length);
    }
    return text;
}

}  // namespace mor
