// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cuda/context.hpp"
#include "backend/cuda/load.cuh"
#include "backend/cuda/reductions.cuh"
#include "backend/cuda/staged_rows.cuh"

/// Products of few rows. They are bound by reading the weights, so each weight is read once for up to eight rows, 16 bytes
/// a lane, and everything else happens on the way: RMSNorm in front, and what becomes of the sums behind.
///
/// One warp computes a unit: one weight row, or the two that an output needs together (gate and up, the two halves of a
/// rotation). Lanes stride along the row; a sum's order is the same for any number of rows and units, so for few rows a
/// row's result does not depend on its neighbours.
///
/// An Output says which weight rows a unit has and where its sums go:
///     static constexpr int kWeightRows;                      1 or 2
///     __device__ int weight_row(int unit, int i) const;
///     struct Place;                                          what storing a unit of a row needs to know, default: nothing
///     __device__ Place place(int unit, int row) const;       looks it up; called early, so that its loads wait for nothing
///     __device__ void store(const Place&, float first, float second) const;
namespace mor::cuda {

inline constexpr int kMostFewRows = 8;  ///< rows that share one read of the weights

/// At least so many blocks find room on a multiprocessor: 128 registers for a thread, 168 where eight rows are summed, and
/// where the compiler keeps more loads on their way (from compute capability 10.0) more, so that none goes to memory.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
inline constexpr int kFewRowsBlocksOfEight = 2;
#else
inline constexpr int kFewRowsBlocksOfEight = 3;
#endif
template <int N>
inline constexpr int kFewRowsBlocks = N == kMostFewRows ? kFewRowsBlocksOfEight : 4;

/// What a warp has in flight: U times 32 vectors of each of R weight rows.
template <class T, int E, int R, int U>
struct WeightBatch {
    static constexpr int kVectors = 32 * U;
    Packed<T, E> vectors[U][R];

    /// `first` is the warp's first vector, `end` the row's number of vectors.
    __device__ __forceinline__ void load(const T* const (&row)[R], int first, int end) {
#pragma unroll
        for (int u = 0; u < U; ++u) {
            const int v = first + u * 32 + static_cast<int>(threadIdx.x % 32);
            if (v >= end) continue;
#pragma unroll
            for (int i = 0; i < R; ++i) vectors[u][i].load(row[i] + static_cast<std::int64_t>(v) * E);
        }
    }

    /// sums[r R + i] += vectors of weight row i times those of staged row r, in ascending order
    template <int N>
    __device__ __forceinline__ void accumulate(const float* staged, int first, int end, float (&sums)[N * R]) {
#pragma unroll
        for (int u = 0; u < U; ++u) {
            const int v = first + u * 32 + static_cast<int>(threadIdx.x % 32);
            if (v >= end) continue;
            float w[R][E];
#pragma unroll
            for (int i = 0; i < R; ++i) vectors[u][i].unpack(w[i]);
#pragma unroll
            for (int r = 0; r < N; ++r) {
                float x[E];
                read<N>(staged + r * Staged<E, N>::kRow, v, x);
#pragma unroll
                for (int i = 0; i < R; ++i) {
#pragma unroll
                    for (int e = 0; e < E; ++e) sums[r * R + i] = fmaf(x[e], w[i][e], sums[r * R + i]);
                }
            }
        }
    }

private:
    template <int N>
    __device__ __forceinline__ static void read(const float* staged, int v, float (&x)[E]) {
        if constexpr (E == 1) {
            x[0] = staged[v];
        } else {
#pragma unroll
            for (int p = 0; p < E / 4; ++p) {
                const float4 four = *reinterpret_cast<const float4*>(staged + p * Staged<E, N>::kPlane + v * 4);
                x[4 * p] = four.x;
                x[4 * p + 1] = four.y;
                x[4 * p + 2] = four.z;
                x[4 * p + 3] = four.w;
            }
        }
    }
};

/// Rows [N blockIdx.x, ...) of the product, P units per warp at a time. Blocks that read the same weights for other rows
/// are neighbours, so that all but the first find them in the L2 cache.
template <class T, int E, int N, int P, class Output>
__global__ void __launch_bounds__(kFewRowsThreads, kFewRowsBlocks<N>)
    few_rows_kernel(const FewRows p, const Output output) {
    constexpr int I = Output::kWeightRows, R = P * I, V = N * R;
    constexpr int kLanes = 32 / V;             // that end up with the same sum
    constexpr int kInFlight = N >= 4 ? 4 : 8;  // weight vectors of a lane; with more rows, registers go to sums
    using Batch = WeightBatch<T, E, R, kInFlight / R>;
    constexpr int kTile = Staged<E, N>::kTile, kStagedVectors = Staged<E, N>::kFloats / 4;
    GPU_SHARED(float4, staged_vectors, [kStagedVectors]);
    float* const staged = reinterpret_cast<float*>(staged_vectors);
    GPU_SHARED(float, warp_squares, [kFewRowsWarps][N]);

    gpu::let_next_start();
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const int row0 = static_cast<int>(blockIdx.x) * N;
    const int value = lane / kLanes;  // which of the V sums this lane will hold
    float scale = 1;

    const int per_block = kFewRowsWarps * P, first_base = static_cast<int>(blockIdx.y) * per_block;
    for (int base = first_base; base < p.units; base += static_cast<int>(gridDim.y) * per_block) {
        const int unit = base + warp * P;
        const bool first_round = base == first_base;
        const T* weights[R];
#pragma unroll
        for (int i = 0; i < R; ++i) {
            // A warp behind the last unit repeats it: barriers need every warp.
            const int weight_row = output.weight_row(min(unit + i / I, p.units - 1), i % I);
            weights[i] = static_cast<const T*>(p.weights) + static_cast<std::int64_t>(weight_row) * p.in;
        }
        const int my_row = row0 + value / R, my_unit = unit + value % R / I;
        const bool stores = lane % (kLanes * I) == 0 && my_row < p.n && my_unit < p.units;
        typename Output::Place place{};
        float sums[V] = {}, squares[N] = {};
        for (int begin = 0; begin < p.in; begin += kTile) {
            const int count = min(kTile, p.in - begin), vectors = count / E;
            Batch batch;
            batch.load(weights, 0, vectors);  // before anything that waits
            if (begin == 0 && first_round) gpu::wait_for_previous();
            if (begin == 0 && stores) place = output.place(my_unit, my_row);
            if (first_round || kTile < p.in) {
                stage_tile<E, N>(p, row0, begin, count, first_round, staged, squares, warp_squares);
            }
#pragma unroll 1
            for (int v = 0; v < vectors; v += Batch::kVectors) {
                if (v > 0) batch.load(weights, v, vectors);
                batch.template accumulate<N>(staged, v, vectors, sums);
            }
#pragma unroll
            for (int i = 0; i < R; ++i) weights[i] += count;
        }
        if (first_round) scale = norm_scale<N>(p, warp_squares, value / R);
        const float mine = warp_sums<V>(sums) * scale;
        const float second = I == 2 ? __shfl_xor_sync(kAllLanes, mine, kLanes % 32) : 0.0f;
        if (stores) output.store(place, mine, second);
    }
}

namespace few_rows {

/// Units that a warp takes at a time where there are plenty: activations are read from shared memory once for all.
template <int N, class Output>
inline constexpr int kManyUnits = std::max(1, (N == kMostFewRows ? 4 : 2) / Output::kWeightRows);

template <class T, int E, int N, int P, class Output>
void start(Context& c, const FewRows& p, const Output& output) {
    constexpr int kBlocksPerMultiprocessor = 8;  // in all: more would only stage the same activations again
    const int per_block = kFewRowsWarps * P;
    const int groups = (p.n + N - 1) / N, most = std::max(1, c.device.multiprocessors * kBlocksPerMultiprocessor / groups);
    const int blocks = std::min((p.units + per_block - 1) / per_block, most);
    const dim3 grid(static_cast<unsigned>(groups), static_cast<unsigned>(blocks));
    gpu::launch_early(c.device.early_launches(), few_rows_kernel<T, E, N, P, Output>, grid, dim3(kFewRowsThreads), 0,
                      c.stream, p, output);
    check(cudaGetLastError(), "product of few rows");
}

template <class T, int E, int N, class Output>
void choose_units(Context& c, const FewRows& p, const Output& output) {
    constexpr int P = kManyUnits<N, Output>;
    // A warp takes several units only where every multiprocessor still has two blocks.
    if (P > 1 && p.units >= 2 * c.device.multiprocessors * kFewRowsWarps * P) return start<T, E, N, P>(c, p, output);
    start<T, E, N, 1>(c, p, output);
}

template <class T, class Output>
void choose_rows(Context& c, const FewRows& p, const Output& output) {
    constexpr int E = kPerVector<T>;
    const bool vectors = p.in % E == 0 && aligned16(p.weights) && aligned16(p.x) && (!p.norm || aligned16(p.norm));
    if (!vectors) return choose_units<T, 1, kMostFewRows>(c, p, output);
    if (p.n == 1) return choose_units<T, E, 1>(c, p, output);
    if (p.n == 2) return choose_units<T, E, 2>(c, p, output);
    if (p.n <= 4) return choose_units<T, E, 4>(c, p, output);
    choose_units<T, E, kMostFewRows>(c, p, output);
}

}  // namespace few_rows

/// Enqueues the product and its output for p.n > 0 rows and p.units > 0; more than eight rows read the weights again for
/// every eight.
template <class Output>
void few_rows_product(Context& c, DType weights, const FewRows& p, const Output& output) {
    with_element(weights, [&](auto element) { few_rows::choose_rows<typename decltype(element)::type>(c, p, output); });
}

}  // namespace mor::cuda
