// SPDX-License-Identifier: Apache-2.0
#include "text_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "mor/error.hpp"

namespace mor::cli {

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

std::string read_all(std::istream& in, const std::string& name) {
    std::string text;
    std::array<char, 1 << 16> block{};
    while (in.read(block.data(), block.size()) || in.gcount() > 0) {
        text.append(block.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > kMostBytes) throw bad_input(name, "size", "at most 1 GiB", "more");
    }
    if (in.bad()) throw Error(name + ": cannot read: " + std::strerror(errno));
    return text;
}

}  // namespace

std::string read_text_file(const std::string& path) {
    if (path == "-") return read_all(std::cin, "standard input");
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) throw bad_input(path, "--text", "a text file", "a directory");
    std::ifstream in(path, std::ios::binary);
    if (!in) throw Error(path + ": cannot open: " + std::strerror(errno));
    return read_all(in, path);
}

}  // namespace mor::cli
