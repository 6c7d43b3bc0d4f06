// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/attention.cuh"

#include <algorithm>
#include <string>

#include "mor/error.hpp"

namespace mor::cuda {
namespace {

constexpr int kMostHeadDim = 256;
constexpr int kSharingRows = 8;  ///< with more rows than this for a table, reading K and V together pays
constexpr int kMergeThreads = 128;

int quotient_up(int a, int b) { return (a + b - 1) / b; }

/// Block i: one query's parts, in the order of the entries.
__global__ void __launch_bounds__(kMergeThreads) merge_splits_kernel(const AttentionTask t) {
    gpu::let_next_start();
    gpu::wait_for_previous();
    const auto query = static_cast<std::int64_t>(blockIdx.x);
    const float2* const weights = t.weights + query * t.splits;
    float largest = -INFINITY, sum = 0;
    for (int s = 0; s < t.splits; ++s) largest = fmaxf(largest, weights[s].x);
    for (int s = 0; s < t.splits; ++s) sum = fmaf(weights[s].y, shrink(weights[s].x, largest), sum);
    const float factor = sum == 0 ? 0.0f : 1.0f / sum;
    for (int d = static_cast<int>(threadIdx.x); d < t.head_dim; d += kMergeThreads) {
        const float* const values = t.values + query * t.splits * t.head_dim + d;
        float value = 0;
        for (int s = 0; s < t.splits; ++s) {
            const float share = shrink(weights[s].x, largest);  // a part that saw nothing holds nothing
            if (share != 0) value = fmaf(values[static_cast<std::int64_t>(s) * t.head_dim], share, value);
        }
        t.out[query * t.head_dim + d] = value * factor;
    }
}

}  // namespace

void cut_attention(Context& c, AttentionTask& t, int heads_per_block, int rows_per_block, int least_span) {
    t.chunk = std::min(t.group, heads_per_block);
    t.chunks = quotient_up(t.group, t.chunk);
    const std::int64_t blocks = std::int64_t{quotient_up(t.kv.n, rows_per_block)} * t.kv_heads * t.chunks;
    const std::int64_t wanted = std::max<std::int64_t>(1, 2 * c.device.multiprocessors / blocks);
    const int longest = std::max(t.kv.longest, 1), pieces = quotient_up(longest, least_span);
    t.span = quotient_up(pieces, static_cast<int>(std::min<std::int64_t>(wanted, pieces))) * least_span;
    t.splits = quotient_up(longest, t.span);
    if (t.splits == 1) return;
    const std::size_t parts = static_cast<std::size_t>(t.kv.n) * t.heads * t.splits;
    auto* const memory = c.workspace.of<float>(slot::split_attention, parts * (static_cast<std::size_t>(t.head_dim) + 2));
    t.weights = reinterpret_cast<float2*>(memory);
    t.values = memory + 2 * parts;
}

void attention(Context& c, const AttentionShape& s, const float* q, const DeviceKv& kv, float* out) {
    if (kv.n == 0) return;
    if (s.head_dim > kMostHeadDim)
        throw Error("head_dim: expected at most " + std::to_string(kMostHeadDim) + " on a CUDA device, got " +
                    std::to_string(s.head_dim));
    AttentionTask t;
    t.q = q;
    t.kv = kv;
    t.out = out;
    t.heads = s.heads;
    t.kv_heads = s.kv_heads;
    t.head_dim = s.head_dim;
    t.block_entries = s.block_entries;
    t.group = s.heads / s.kv_heads;
    t.scale = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(s.head_dim)));
    if (kv.n > kSharingRows * std::max(kv.tables, 1))
        attention_of_many_rows(c, s.kv_type, t);
    else
        attention_of_few_rows(c, s.kv_type, t);
    if (t.splits == 1) return;
    const auto queries = static_cast<unsigned>(t.kv.n) * static_cast<unsigned>(t.heads);
    gpu::launch_early(c.device.early_launches(), merge_splits_kernel, dim3(queries), dim3(kMergeThreads), 0, c.stream, t);
    check(cudaGetLastError(), "attention");
}

}  // namespace mor::cuda
