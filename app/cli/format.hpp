// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mor/record.hpp"

/// Numbers and text as people read them.
namespace mor::cli {

/// 1234567 -> "1,234,567"
std::string grouped(std::int64_t);

/// Always with `decimals` digits after the point; "-" for what was not measured.
std::string fixed(double, int decimals);

/// 62566 -> "61.1 KiB"
std::string bytes_text(std::int64_t);

/// How much less `spent` is than `reference`, for instance "34 % saved".
std::string saving_text(std::int64_t spent, std::int64_t reference);

inline std::int64_t sum_of(const std::vector<std::int64_t>& values) {
    return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

/// FNV-1a of the bits, 16 hexadecimal digits: two runs that print the same hash computed the same logits.
std::string hash_of(std::span<const float>);

/// `text` with control characters other than line breaks and tabs shown as U+FFFD, so that a model cannot send
/// commands to the terminal.
std::string printable(std::string_view text);

/// Line breaks, tabs and other control characters as one-line escapes, for cells of tables.
std::string escaped(std::string_view text);

/// How many columns UTF-8 text takes, counting code points.
std::size_t width_of(std::string_view text);

/// Rows of cells under a header as aligned columns; cells that look like numbers stand right.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

/// One line of comma-separated values; a cell with a comma, quote or line break is quoted.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace mor::cli
