// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/backend.hpp"
#include "backend/cpu/kernels.hpp"
#include "backend/cpu/thread_pool.hpp"

namespace mor::cpu {

/// Log-sum-exp and the k best of each of n rows of logits, the vocabulary cut into pieces of fixed size.
std::vector<Pick> pick(const Kernels&, ThreadPool&, const float* logits, int n, int vocab, int k);

}  // namespace mor::cpu
