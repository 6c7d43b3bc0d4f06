// SPDX-License-Identifier: Apache-2.0
#include "text/visible_text.hpp"

#include "text/utf8.hpp"

namespace mor {
namespace {

void append_hex(std::string& text, char byte) {
    const auto b = static_cast<unsigned char>(byte);
    text += {'\\', 'x', "0123456789ABCDEF"[b >> 4], "0123456789ABCDEF"[b & 15]};
}

}  // namespace

std::string visible_text(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const auto unit = next_utf8(bytes);
        const char c = bytes[0];
        if (unit.status != Utf8Status::Valid) {
            for (const char broken : bytes.substr(0, unit.length)) append_hex(text, broken);
        } else if (c == '\n') {
            text += "\\n";
        } else if (c == '\t') {
            text += "\\t";
        } else if (c == '\r') {
            text += "\\r";
        } else if (unit.length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)) {
            append_hex(text, c);
        } else {
            text += bytes.substr(0, unit.length);
        }
        bytes.remove_prefix(unit.length);
    }
    return text;
}

}  // namespace mor
