// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/golden.hpp"

/// The reference vectors on disk, and how numbers are compared with them.
namespace mor::testing {

/// tests/data/reference (the official code) and tests/data/vectors (what that leaves out), or MOR_REFERENCE_DIR alone.
inline std::vector<std::filesystem::path> reference_directories() {
    if (const char* own = std::getenv("MOR_REFERENCE_DIR"); own && *own) return {own};
    const std::filesystem::path data = MOR_TEST_DATA;
    return {data / "reference", data / "vectors"};
}

/// Name -> directory of every configuration that has vectors.
inline std::map<std::string, std::filesystem::path> reference_configurations() {
    std::map<std::string, std::filesystem::path> found;
    for (const auto& directory : reference_directories())
        for (const auto& entry : std::filesystem::directory_iterator(directory))
            if (std::filesystem::exists(entry.path() / "golden_causal.safetensors"))
                found.emplace(entry.path().filename().string(), entry.path());
    return found;
}

/// Largest absolute difference. NaN equals NaN and nothing else; different lengths are infinitely different.
inline float difference(std::span<const float> got, std::span<const float> expected) {
    float largest = got.size() == expected.size() ? 0.0f : INFINITY;
    for (std::size_t i = 0; i < std::min(got.size(), expected.size()); ++i) {
        if (std::isnan(expected[i]) && std::isnan(got[i])) continue;
        const float d = std::abs(got[i] - expected[i]);
        largest = std::isnan(d) ? INFINITY : std::max(largest, d);
    }
    return largest;
}

/// For states, whose size is not bounded as that of logits is: relative to the reference's largest element above 1.
inline float state_difference(std::span<const float> got, std::span<const float> expected) {
    float scale = 1.0f;
    for (const float e : expected) scale = std::max(scale, std::abs(e));
    return difference(got, expected) / scale;
}

inline std::span<const float> line(const std::vector<float>& matrix, int row, int width) {
    return std::span(matrix).subspan(static_cast<std::size_t>(row) * width, width);
}

/// Largest differences seen.
struct Differences {
    float logits = 0, router = 0, hidden = 0, gate = 0;

    void merge(const Differences& d) {
        logits = std::max(logits, d.logits);
        router = std::max(router, d.router);
        hidden = std::max(hidden, d.hidden);
        gate = std::max(gate, d.gate);
    }
};

}  // namespace mor::testing
