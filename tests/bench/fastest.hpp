// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

namespace bench {

/// Seconds of the fastest of several rounds of f(round); other processes only ever add time.
template <class F>
double fastest(F&& f) {
    using Clock = std::chrono::steady_clock;
    double best = 1e9, total = 0;
    for (int round = 0; round < 400 && (total < 0.25 || round < 5); ++round) {
        const auto begin = Clock::now();
        f(round);
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        best = std::min(best, seconds);
        total += seconds;
    }
    return best;
}

}  // namespace bench
