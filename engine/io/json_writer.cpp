// SPDX-License-Identifier: Apache-2.0
#include "io/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "mor/tokenizer.hpp"

namespace mor {
namespace {

template <class Number>
std::string_view print(char (&buffer)[32], Number v) {
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, v);  // shortest form; 32 bytes always suffice
    static_cast<void>(error);
    const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    return text == "-0" ? "-0.0" : text;  // readers take -0 for an integer, which has no sign at zero
}

/// Readers of JSON parse doubles. One float, 7.038531e-26, has a shortest form so close to the middle between two
/// floats that reading it as a double lands on the middle, and rounding that to float goes to the neighbour.
bool reads_back(std::string_view text, float v) {
    double read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    return static_cast<float>(read) == v;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

}  // namespace

void JsonWriter::separate() {
    if (text_.empty()) return;
    const char before = text_.back();
    if (before != '{' && before != '[' && before != ':' && before != '\n') text_ += ',';
}

void JsonWriter::open(char bracket) {
    separate();
    text_ += bracket;
}

void JsonWriter::close(char bracket) { text_ += bracket; }

void JsonWriter::key(std::string_view name) {
    separate();
    text_ += '"';
    text_ += name;
    text_ += "\":";
}

void JsonWriter::value(bool v) {
    separate();
    text_ += v ? "true" : "false";
}

void JsonWriter::null() {
    separate();
    text_ += "null";
}

void JsonWriter::value(std::int64_t v) {
    char buffer[32];
    separate();
    text_ += print(buffer, v);
}

void JsonWriter::value(std::uint64_t v) {
    char buffer[32];
    separate();
    text_ += print(buffer, v);
}

void JsonWriter::value(float v) {
    if (!std::isfinite(v)) return value(static_cast<double>(v));
    char buffer[32];
    const auto shortest = print(buffer, v);
    if (!reads_back(shortest, v)) return value(static_cast<double>(v));
    separate();
    text_ += shortest;
}

void JsonWriter::value(double v) {
    if (std::isinf(v)) return value(v > 0 ? "inf" : "-inf");
    char buffer[32];
    separate();
    text_ += print(buffer, v);
}

void JsonWriter::value(std::string_view text) {
    separate();
    is_ascii(text) ? quote(text) : quote(repair_utf8(text));
}

void JsonWriter::quote(std::string_view text) {
    text_ += '"';
    const auto plain = std::find_if_not(text.begin(), text.end(), is_plain);
    text_.append(text.begin(), plain);
    for (const char c : text.substr(static_cast<std::size_t>(plain - text.begin()))) {
        const auto b = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += {'\\', c};
        } else if (c == '\n') {
            text_ += "\\n";
        } else if (b < 0x20) {
            text_ += {'\\', 'u', '0', '0', "0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
        } else {
            text_ += c;
        }
    }
    text_ += '"';
}

void JsonWriter::member(std::string_view name, float v) {
    if (std::isnan(v)) return;
    key(name);
    value(v);
}

void JsonWriter::member(std::string_view name, double v) {
    if (std::isnan(v)) return;
    key(name);
    value(v);
}

}  // namespace mor
