// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.hpp"

namespace mor::testing {

/// Tensors of golden.safetensors or golden_causal.safetensors by name, copied into vectors.
class Golden {
public:
    explicit Golden(const std::filesystem::path& path) : file_(path) {}

    bool has(std::string_view name) const { return file_.entry(name) != nullptr; }
    const std::vector<std::int64_t>& shape(std::string_view name) const { return require(name).shape; }

    /// F32 tensors.
    std::vector<float> floats(std::string_view name) const {
        const auto& e = require(name);
        if (e.dtype != "F32") throw std::runtime_error(std::string(name) + " holds " + e.dtype + ", not floats");
        return copy<float, float>(e);
    }

    /// I32, I64, U8 and BOOL tensors.
    std::vector<int> ints(std::string_view name) const {
        const auto& e = require(name);
        if (e.dtype == "I32") return copy<std::int32_t, int>(e);
        if (e.dtype == "I64") return copy<std::int64_t, int>(e);
        if (e.dtype == "U8" || e.dtype == "BOOL") return copy<std::uint8_t, int>(e);
        throw std::runtime_error(std::string(name) + " holds " + e.dtype + ", not whole numbers");
    }

    const SafetensorsFile& file() const { return file_; }

private:
    const SafetensorsEntry& require(std::string_view name) const {
        if (const auto* e = file_.entry(name)) return *e;
        throw std::runtime_error(file_.path() + " has no tensor " + std::string(name));
    }

    template <class Stored, class Wanted>
    static std::vector<Wanted> copy(const SafetensorsEntry& e) {
        std::vector<Wanted> values(e.data.size() / sizeof(Stored));
        for (std::size_t i = 0; i < values.size(); ++i) {
            Stored v;
            std::memcpy(&v, e.data.data() + i * sizeof v, sizeof v);
            values[i] = static_cast<Wanted>(v);
        }
        return values;
    }

    SafetensorsFile file_;
};

/// tests/data/reference/CONFIG.
inline std::filesystem::path reference_directory(const std::string& config) {
    return std::filesystem::path(MOR_TEST_DATA) / "reference" / config;
}

}  // namespace mor::testing
