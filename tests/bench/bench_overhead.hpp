// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/bench_report.hpp"

namespace mor::bench {

struct OverheadOptions {
    int tokens = 480;  ///< decoded in each run
    int rounds = 9;
    int threads = 0;  ///< of the engine; 0: cores - 1
};

/// What recording and drawing cost the engine: the same generation with nobody listening (null sink), recorded to a file,
/// and recorded and drawn in the window. Rounds alternate, so that what else the machine does hits all alike.
void benchOverhead(const std::string& directory, const OverheadOptions&, const Report&);

}  // namespace mor::bench
