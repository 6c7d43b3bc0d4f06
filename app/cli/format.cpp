// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace mor::cli {

namespace {

std::string hex(std::uint64_t value, int digits) {
    std::string text(static_cast<std::size_t>(digits), '0');
    for (auto at = text.rbegin(); at != text.rend(); ++at, value >>= 4) *at = "0123456789abcdef"[value & 15];
    return text;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool looks_numeric(const std::string& cell) {
    return !cell.empty() && cell.find_first_not_of("0123456789.,+- ") == std::string::npos;
}

}  // namespace

std::string grouped(std::int64_t value) {
    std::string digits = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
    return digits;
}

std::string fixed(double value, int decimals) {
    if (!std::isfinite(value)) return "-";
    std::array<char, 400> text{};  // the longest double takes 309 digits before the point
    const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string bytes_text(std::int64_t bytes) {
    constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
    return fixed(value, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string saving_text(std::int64_t spent, std::int64_t reference) {
    if (reference <= 0) return "nothing to compare";
    const double saved = 100.0 * (1.0 - static_cast<double>(spent) / static_cast<double>(reference));
    return saved >= 0 ? fixed(saved, 0) + " % saved" : fixed(-saved, 0) + " % more";
}

std::string hash_of(std::span<const float> values) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (float value : values) {
        auto bits = std::bit_cast<std::uint32_t>(value);
        for (int i = 0; i < 4; ++i, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3;
    }
    return hex(hash, 16);
}

std::string printable(std::string_view text) {
    std::string result;
    for (char c : text) {
        if (is_control(c) && c != '\n' && c != '\t')
            result += "\uFFFD";
        else
            result += c;
    }
    return result;
}

std::string escaped(std::string_view text) {
    std::string result;
    for (char c : text) {
        if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else if (is_control(c))
            result += "\\x" + hex(static_cast<unsigned char>(c), 2);
        else
            result += c;
    }
    return result;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string padding(widths[c] - width_of(row[c]), ' ');
            line += (c == 0 ? "" : "  ") + (looks_numeric(row[c]) ? padding + row[c] : row[c] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i != 0) line += ',';
        if (cells[i].find_first_of(",\"\r\n") == std::string::npos) {
            line += cells[i];
            continue;
        }
        line += '"';
        for (char c : cells[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    return line + "\n";
}

}  // namespace mor::cli
