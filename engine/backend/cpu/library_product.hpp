// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mor::cpu {

/// y[r ldy + o] (+)= sum over k of x[r in + k] w[o in + k] through oneDNN, on the calling thread alone.
void library_product(const float* x, int n, const float* w, int in, int outs, float* y, std::ptrdiff_t ldy, bool add);

}  // namespace mor::cpu
