// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/bench_meter.hpp"
#include "bench/bench_report.hpp"

namespace mor::bench {

struct FrameOptions {
    int tokens = 4096;  ///< at the end of the run
    int alreadyThere = 3096;
    int rate = 200;         ///< tokens per second that come in
    bool breakdown = true;  ///< says which views paint how much
    bool dark = false;
    std::string pictures;  ///< folder that receives what the screen showed at the end of each; empty: none
};

/// The GUI thread's work per frame while the last tokens of a long run come in: once for each of three set-ups of the page
/// at 1920 x 980, and once for the whole window around it, at 1920 x 1080.
void benchFrames(Meter&, const FrameOptions&, const Report&);

}  // namespace mor::bench
