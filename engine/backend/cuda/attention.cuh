// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "backend/cuda/attention.hpp"
#include "backend/cuda/load.cuh"

/// What the attention kernels share.
namespace mor::cuda {

/// Elements of one K/V head, as a row's block table gives them. Blocks hold K [kv_heads, N, D], then V.
template <class T>
struct Entries {
    std::byte* const* blocks;
    std::int64_t offset;  ///< bytes from a block's start to this head's keys
    std::int64_t to_values;
    unsigned block_entries;
    int head_dim;

    __device__ __forceinline__ Entries(const AttentionTask& t, std::byte* const* table, std::int64_t layer, int kv_head)
        : blocks(table),
          offset(layer + static_cast<std::int64_t>(kv_head) * t.block_entries * t.head_dim * std::int64_t{sizeof(T)}),
          to_values(static_cast<std::int64_t>(t.kv_heads) * t.block_entries * t.head_dim),
          block_entries(static_cast<unsigned>(t.block_entries)),
          head_dim(t.head_dim) {}

    /// The entry's key; its value stands `to_values` elements behind.
    __device__ __forceinline__ const T* key(int entry) const {
        const unsigned block = static_cast<unsigned>(entry) / block_entries;
        const unsigned at = static_cast<unsigned>(entry) - block * block_entries;
        const std::byte* const base = blocks[block];  // there is no __ldg for pointers
        return reinterpret_cast<const T*>(base + offset) + static_cast<std::int64_t>(at) * head_dim;
    }
};

/// 2^(x - largest), where minus infinity is nothing at all: also if that is the largest.
__device__ __forceinline__ float weight_of(float x, float largest) { return x == -INFINITY ? 0.0f : exp2f(x - largest); }

/// What is left of a sum when a larger score is seen.
__device__ __forceinline__ float shrink(float before, float now) { return weight_of(before, now); }

/// Where a query's result goes, before it is divided by its sum or as it is.
__device__ __forceinline__ float* result_of(const AttentionTask& t, int row, int head, int split) {
    const std::int64_t query = static_cast<std::int64_t>(row) * t.heads + head;
    return t.values ? t.values + (query * t.splits + split) * t.head_dim : t.out + query * t.head_dim;
}

__device__ __forceinline__ void store_weight(const AttentionTask& t, int row, int head, int split, float largest,
                                             float sum) {
    if (t.weights) t.weights[(static_cast<std::int64_t>(row) * t.heads + head) * t.splits + split] = {largest, sum};
}

/// What values are multiplied with before they are stored: a row that sees nothing gets zeros.
__device__ __forceinline__ float final_factor(const AttentionTask& t, float sum) {
    return t.values || sum == 0 ? 1.0f : 1.0f / sum;
}

}  // namespace mor::cuda
