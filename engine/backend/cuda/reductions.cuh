// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/gpu_compat.hpp"

/// Sums and maxima over the lanes of a warp and the threads of a block. The order of summation is a fixed tree over the
/// lanes (distances 16, 8, 4, 2, 1), so it depends on nothing but the values.
namespace mor::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) v += __shfl_xor_sync(kAllLanes, v, distance);
    return v;
}

__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, distance));
    return v;
}

/// The sums over the lanes of V values at once; V is a power of two up to 32. Lane l returns the sum of value
/// l / (32 / V). Each step halves the values a lane still carries, so V values take about V shuffles instead of 5 V; the
/// tree of each sum is that of warp_sum. Destroys v.
template <int V, int Distance = 16, int Size>
__device__ __forceinline__ float warp_sums(float (&v)[Size]) {
    static_assert(V <= Size && Size <= 32);
    if constexpr (Distance == 0) {
        return v[0];
    } else if constexpr (V == 1) {
        v[0] += __shfl_xor_sync(kAllLanes, v[0], Distance);
        return warp_sums<1, Distance / 2>(v);
    } else {
        const bool upper = (threadIdx.x & Distance) != 0;
#pragma unroll
        for (int i = 0; i < V / 2; ++i) {
            const float kept = upper ? v[i + V / 2] : v[i], sent = upper ? v[i] : v[i + V / 2];
            v[i] = kept + __shfl_xor_sync(kAllLanes, sent, Distance);
        }
        return warp_sums<V / 2, Distance / 2>(v);
    }
}

/// The sum over all threads of a block of Warps full warps, for every thread. `partial` is shared memory, free for other
/// uses after the next barrier.
template <int Warps>
__device__ __forceinline__ float block_sum(float v, float (&partial)[Warps]) {
    v = warp_sum(v);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = v;
    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int w = 0; w < Warps; ++w) sum += partial[w];
    return sum;
}

}  // namespace mor::cuda
