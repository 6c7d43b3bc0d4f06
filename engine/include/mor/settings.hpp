// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "mor/types.hpp"

namespace mor {

/// How tokens are chosen. temperature 0 is greedy and ignores the rest.
struct Sampling {
    float temperature = 0.0f;  ///< >= 0
    int top_k = 0;             ///< keep the k most likely tokens; 0 keeps all
    float top_p = 1.0f;        ///< then the smallest set whose probability reaches p, 0 < p <= 1
    std::uint64_t seed = 1;
};

/// What is in force when a recursion selects its tokens. Defaults are what the checkpoint was trained for.
struct RoutingSettings {
    SelectionRule rule = SelectionRule::Threshold;
    double threshold = 0.5;  ///< probability, 0 < p < 1
    RoutingHead head = RoutingHead::Model;
    std::optional<int> fixed_depth;   ///< every token, 0..R (token choice 1..R)
    std::map<int, int> forced_depth;  ///< position -> depth, stronger than fixed_depth
};

/// Where and with how many threads the engine computes.
struct DeviceSettings {
    std::string device = "auto";   ///< "auto", "cpu" or "cuda"
    int threads = 0;               ///< 0: as many as there are cores
    std::string cpu_isa = "auto";  ///< "auto", "avx512", "avx2" or "generic": which kernels to use
    DType compute = DType::F32;    ///< F32, or BF16 for matrix products of several rows
};

}  // namespace mor
