// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cuda/operations.hpp"

/// Attention of rows over what their block tables hold. Two kernels do it, both with an online softmax in powers of two:
/// one for few rows, bound by reading K and V, and one for many rows that share what is read. Either may split the entries
/// among blocks; the parts are then merged in the order of the entries.
namespace mor::cuda {

/// What the kernels work on.
struct AttentionTask {
    const float* q = nullptr;  ///< [n, heads, D]
    DeviceKv kv;
    float* out = nullptr;  ///< [n, heads, D]
    int heads = 0, kv_heads = 0, head_dim = 0, block_entries = 0;
    int group = 0;    ///< query heads of a K/V head
    int chunk = 0;    ///< of these, so many to a block
    int chunks = 0;   ///< blocks that share a K/V head
    float scale = 0;  ///< log2(e) / sqrt(D): scores are exponents of two
    int splits = 1;   ///< split s computes entries [s span, (s + 1) span)
    int span = 0;
    float* values = nullptr;    ///< [n, heads, splits, D]; null: out is written, there is one split
    float2* weights = nullptr;  ///< [n, heads, splits]: the largest score and the sum of exponentials below it
};

/// Sets chunk, chunks, splits, span and the memory for parts. A block computes up to `heads_per_block` query heads of each
/// of `rows_per_block` rows; there are to be about two blocks for each multiprocessor, none with fewer entries than
/// `least_span`, of which span is a multiple.
void cut_attention(Context&, AttentionTask&, int heads_per_block, int rows_per_block, int least_span);

/// Cut the task and enqueue it, but for the merging of the parts.
void attention_of_few_rows(Context&, DType, AttentionTask&);
void attention_of_many_rows(Context&, DType, AttentionTask&);

}  // namespace mor::cuda
