// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "mor/trace.hpp"

/// Two runs over the same tokens, side by side.
namespace mor {

/// What one run did with the tokens that both have. NaN: not defined for it.
struct RunFigures {
    std::vector<std::int64_t> depths;                                  ///< [R + 1] tokens by depth
    double mean_depth = std::numeric_limits<double>::quiet_NaN();      ///< recursions; NaN for vanilla
    double nats_per_token = std::numeric_limits<double>::quiet_NaN();  ///< over the tokens that both runs predicted
    /// Over the tokens from which both runs predicted the next one: only there did both compute the head.
    double flops_per_token = std::numeric_limits<double>::quiet_NaN();
    double flops_per_token_vanilla = std::numeric_limits<double>::quiet_NaN();  ///< computed: through all executed layers
    std::int64_t kv_used = 0;                                                   ///< bytes after the last common token
    std::int64_t kv_vanilla = 0;                                                ///< computed
};

struct RunComparison {
    int tokens = 0;     ///< common to both runs: from the first on, until they differ or one ends
    int predicted = 0;  ///< of those, with a log probability in both
    RunFigures a, b;
    /// [R_a + 1][R_b + 1] tokens by depth in a and depth in b
    std::vector<std::vector<std::int64_t>> depths;
    /// Pearson's correlation of both depths over the tokens; NaN where one side gives every token the same.
    double depth_correlation = std::numeric_limits<double>::quiet_NaN();
};

/// Compares the tokens of request 0 from position 0 on. A pure function. Throws Error when there is no common token,
/// or when the same id means another token in the other vocabulary.
RunComparison compare_runs(const Trace& a, const Trace& b);

}  // namespace mor
