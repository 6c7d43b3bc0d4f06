// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>

#include "backend/cuda/few_rows.cuh"
#include "backend/cuda/load.cuh"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/reductions.cuh"

/// Routers. A decision must not depend on which rows are computed together, so the order of summation depends on the
/// weights' shape and type alone: which kernel computes a product is never chosen by the number of rows.
namespace mor::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kOutputs = 4;  ///< weight rows that share one reading of a row
constexpr int kBlocks =
    8;  ///< on a multiprocessor at once; asked for more, the compiler keeps a register in memory (sm_100)

/// The last product of a router: few outputs (one, or one per recursion), so a block computes four of one row.
struct OuterProduct {
    const void* weights = nullptr;  ///< [out, in]
    int in = 0, out = 0;
    const float* x = nullptr;
    const int* rows = nullptr;  ///< null: row i is x[i]
    float scale = 1;
    float* y = nullptr;  ///< [n, out]
};

template <class T, int E>
__global__ void __launch_bounds__(kThreads, kBlocks) outer_kernel(const OuterProduct p) {
    GPU_SHARED(float, partial, [kOutputs][kWarps]);
    const auto row = static_cast<std::int64_t>(blockIdx.x);
    const int first = static_cast<int>(blockIdx.y) * kOutputs;
    const float* const x = p.x + (p.rows ? p.rows[row] : row) * p.in;
    const T* const weights = static_cast<const T*>(p.weights) + static_cast<std::int64_t>(first) * p.in;

    float sums[kOutputs] = {};
    for (int v = static_cast<int>(threadIdx.x); v < p.in / E; v += kThreads) {
        constexpr int S = E == 1 ? 1 : 4;  // floats per load
        float a[E];
#pragma unroll
        for (int s = 0; s < E; s += S) {
            Packed<float, S> packed;
            packed.load(x + v * E + s);
            float part[S];
            packed.unpack(part);
#pragma unroll
            for (int e = 0; e < S; ++e) a[s + e] = part[e];
        }
#pragma unroll
        for (int o = 0; o < kOutputs; ++o) {
            if (first + o >= p.out) continue;
            Packed<T, E> packed;
            packed.load(weights + static_cast<std::int64_t>(o) * p.in + v * E);
            float w[E];
            packed.unpack(w);
#pragma unroll
            for (int e = 0; e < E; ++e) sums[o] = fmaf(a[e], w[e], sums[o]);
        }
    }
#pragma unroll
    for (int o = 0; o < kOutputs; ++o) {
        const float sum = warp_sum(sums[o]);
        if (threadIdx.x % 32 == 0) partial[o][threadIdx.x / 32] = sum;
    }
    __syncthreads();
    const int o = static_cast<int>(threadIdx.x);
    if (o >= kOutputs || first + o >= p.out) return;
    float sum = 0;
    for (int w = 0; w < kWarps; ++w) sum += partial[o][w];
    p.y[row * p.out + first + o] = sum * p.scale;
}

void outer_product(Context& c, const DeviceMatrix& w, const float* x, const int* rows, int n, float scale, float* y) {
    const OuterProduct p{w.data, w.in, w.out, x, rows, scale, y};
    const dim3 grid(static_cast<unsigned>(n), static_cast<unsigned>((w.out + kOutputs - 1) / kOutputs));
    with_element(w.dtype, [&](auto element) {
        using T = typename decltype(element)::type;
        constexpr int E = kPerVector<T>;
        const bool vectors = w.in % E == 0 && aligned16(w.data) && aligned16(x);
        gpu::launch(vectors ? outer_kernel<T, E> : outer_kernel<T, 1>, grid, dim3(kThreads), 0, c.stream, p);
    });
    check(cudaGetLastError(), "router");
}

/// The inner product of an MLP router: gelu(scale x w), exact gelu.
struct Gelu {
    static constexpr int kWeightRows = 1;
    float* y;
    int out;
    float scale;

    struct Place {
        float* target;
    };

    __device__ int weight_row(int unit, int) const { return unit; }
    __device__ Place place(int unit, int row) const { return {y + static_cast<std::int64_t>(row) * out + unit}; }
    __device__ void store(const Place& place, float sum, float) const {
        const float v = sum * scale;
        *place.target = 0.5f * v * (1.0f + erff(v * 0.70710678118654752f));
    }
};

}  // namespace

void router(Context& c, const DeviceRouter& r, const float* x, const int* rows, int n, float scale, float* outputs) {
    if (n == 0) return;
    if (!r.inner.data) return outer_product(c, r.outer, x, rows, n, scale, outputs);
    const DeviceMatrix& w = r.inner;
    float* const inside = c.workspace.of<float>(slot::router_inner, static_cast<std::size_t>(n) * w.out);
    few_rows_product(c, w.dtype, {w.data, w.in, x, rows, n, nullptr, 0, w.out}, Gelu{inside, w.out, scale});
    outer_product(c, r.outer, inside, nullptr, n, 1, outputs);
}

}  // namespace mor::cuda
