// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/cpu/kernels.hpp"

namespace mor::cpu {

/// Kernel sets this machine can run, best first; the generic ones are always the last.
std::vector<const Kernels*> available_kernels();

/// oneDNN multiplies bfloat16 by bfloat16 faster than float32 here (AVX-512 BF16, or AMX).
bool has_fast_bf16();

}  // namespace mor::cpu
