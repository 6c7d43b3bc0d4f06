// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/memory.hpp"

namespace mor::cpu {

/// y[o] = sum over k of x[k] w[o, k] for o in [begin, end), in float32: 16 partial sums with stride 16, added as a
/// fixed tree. Neither the instruction set nor the number of rows changes a bit.
void router_product(const float* x, const CpuMatrix& w, int begin, int end, float* y);

/// y = x * scale
void router_scale(const float* x, int n, float scale, float* y);

/// x / 2 (1 + erf(x / sqrt 2)), in place
void router_gelu(float* x, int n);

}  // namespace mor::cpu
