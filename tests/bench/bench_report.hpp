// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

/// Results of a benchmark, as text for people or, with --json, one object a line.
namespace mor::bench {

class Report {
public:
    explicit Report(bool json) : json_(json) {}

    void add(const std::string& text, const nlohmann::ordered_json& figures) const {
        std::puts((json_ ? figures.dump() : text).c_str());
        std::fflush(stdout);
    }

private:
    bool json_;
};

template <typename... Values>
std::string formatted(const char* format, Values... values) {
    char line[512];
    std::snprintf(line, sizeof line, format, values...);
    return line;
}

}  // namespace mor::bench
