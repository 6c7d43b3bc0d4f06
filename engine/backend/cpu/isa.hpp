// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/cpu/kernels.hpp"

namespace mor::cpu {

/// Kernel sets this machine can run, best first; the generic ones are always the last.
std::vector<const Kernels*> available_kernels();

/// oneDNN multiplies bfloat16 by bfloat16 in hardware (AVX-512 BF16, and AMX where there is that too).
bool has_bf16_products();

}  // namespace mor::cpu
