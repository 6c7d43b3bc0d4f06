// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cuda/load.cuh"
#include "backend/cuda/reductions.cuh"

/// The activations of a product of few rows, on their way into shared memory: normalised, laid out for the weights' type.
namespace mor::cuda {

inline constexpr int kFewRowsThreads = 128;
inline constexpr int kFewRowsWarps = kFewRowsThreads / 32;
inline constexpr int kStagedFloats = 8 * 1024;  ///< activations in shared memory at a time, of all rows together

struct FewRows {
    const void* weights = nullptr;  ///< [.., in]
    int in = 0;
    const float* x = nullptr;   ///< [.., in]
    const int* rows = nullptr;  ///< row i is x[rows[i]]; null: x[i]
    int n = 0;
    const float* norm = nullptr;  ///< RMSNorm's weight [in]; null: none
    float eps = 0;
    int units = 0;
};

/// N rows of activations in shared memory, a tile of kTile elements at a time. 16-bit weights are multiplied by eight
/// consecutive activations; their first and second halves lie in planes of their own, so that the lanes of a warp read
/// neighbouring float4s: no bank conflicts. The padding puts what is written at the same time into different banks.
template <int E, int N>
struct Staged {
    static constexpr int kTile = kStagedFloats / N;
    static constexpr int kPlanes = E == 8 ? 2 : 1;
    static constexpr int kPlane = kTile / kPlanes + (E == 8 ? 16 : 0);  // floats
    static constexpr int kRow = kPlanes * kPlane;
    static constexpr int kFloats = N * kRow;

    __device__ static int place(int k) { return E == 8 ? k / 4 % 2 * kPlane + k / 8 * 4 + k % 4 : k; }
};

/// Row `row` of what is multiplied; null behind the last.
__device__ __forceinline__ const float* source_row(const FewRows& p, int row) {
    if (row >= p.n) return nullptr;
    return p.x + static_cast<std::int64_t>(p.rows ? p.rows[row] : row) * p.in;
}

/// Brings elements [begin, begin + count) of rows [row0, row0 + N) into shared memory, times the norm's weight; rows behind
/// the last are zero. The division by the root mean square is left to the sums. Adds to this thread's sums of squares.
template <int E, int N>
__device__ __forceinline__ void stage(const FewRows& p, int row0, int begin, int count, float* staged,
                                      float (&squares)[N]) {
    constexpr int S = E == 1 ? 1 : 4;      // elements per load
    constexpr int B = N >= 4 ? 1 : 4 / N;  // loads in flight per row
    const float* row[N];
#pragma unroll
    for (int r = 0; r < N; ++r) row[r] = source_row(p, row0 + r);
#pragma unroll 1
    for (int first = static_cast<int>(threadIdx.x) * S; first < count; first += kFewRowsThreads * S * B) {
        Packed<float, S> x[B][N], weight[B];
#pragma unroll
        for (int b = 0; b < B; ++b) {
            const int k = first + b * kFewRowsThreads * S;
            if (k >= count) continue;
            if (p.norm) weight[b].load(p.norm + begin + k);
#pragma unroll
            for (int r = 0; r < N; ++r) {
                if (row[r]) x[b][r].load(row[r] + begin + k);
            }
        }
#pragma unroll
        for (int b = 0; b < B; ++b) {
            const int k = first + b * kFewRowsThreads * S;
            if (k >= count) continue;
            float g[S];
            if (p.norm) weight[b].unpack(g);
#pragma unroll
            for (int r = 0; r < N; ++r) {
                float values[S] = {};
                if (row[r]) x[b][r].unpack(values);
#pragma unroll
                for (int s = 0; s < S; ++s) {
                    squares[r] = fmaf(values[s], values[s], squares[r]);
                    if (p.norm) values[s] *= g[s];
                }
                store_floats<S>(staged + r * Staged<E, N>::kRow + Staged<E, N>::place(k), values);
            }
        }
    }
}

/// As stage(), for all threads between barriers. In the block's first round, the last tile leaves each warp's sum of
/// squares of each row in warp_squares.
template <int E, int N>
__device__ __forceinline__ void stage_tile(const FewRows& p, int row0, int begin, int count, bool first_round,
                                           float* staged, float (&squares)[N], float (&warp_squares)[kFewRowsWarps][N]) {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    if (begin > 0 || !first_round) __syncthreads();  // the tile before has been read
    stage<E, N>(p, row0, begin, count, staged, squares);
    if (p.norm && first_round && begin + count == p.in) {
        const float sum = warp_sums<N>(squares);
        if (lane % (32 / N) == 0) warp_squares[warp][lane / (32 / N)] = sum;
    }
    __syncthreads();
}

/// What the sums of row r are multiplied by: 1 over the root mean square.
template <int N>
__device__ __forceinline__ float norm_scale(const FewRows& p, const float (&warp_squares)[kFewRowsWarps][N], int r) {
    if (!p.norm) return 1;
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kFewRowsWarps; ++w) sum += warp_squares[w][r];
    return 1.0f / sqrtf(sum / static_cast<float>(p.in) + p.eps);
}

}  // namespace mor::cuda
