// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backend/cuda/load.cuh"
#include "backend/cuda/operations.hpp"

/// Rows moved by index. Each element is read and written once, in 16-byte pieces where width and addresses allow.
namespace mor::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kMostRows = 65535;  ///< of a grid; more rows are taken in turns

/// As many blocks along a row as its pieces need.
dim3 grid_of(int n, int pieces) {
    return dim3(static_cast<unsigned>((pieces + kThreads - 1) / kThreads), static_cast<unsigned>(std::min(n, kMostRows)));
}

/// Calls f(piece, i) for this thread's pieces: one piece of every gridDim.y-th of n rows.
template <class F>
__device__ __forceinline__ void for_pieces(int n, int pieces, F&& f) {
    const int piece = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
    if (piece >= pieces) return;
    for (int i = static_cast<int>(blockIdx.y); i < n; i += static_cast<int>(gridDim.y)) f(piece, i);
}

template <class T, int E>
__global__ void __launch_bounds__(kThreads)
    embed_kernel(const T* table, const int* ids, const int* rows, int n, int width, float* x) {
    for_pieces(n, width / E, [&](int piece, int i) {
        Packed<T, E> packed;
        packed.load(table + static_cast<std::int64_t>(ids[i]) * width + piece * E);
        float values[E];
        packed.unpack(values);
        float* const target = x + static_cast<std::int64_t>(rows[i]) * width + piece * E;
        constexpr int S = E == 1 ? 1 : 4;  // floats per store
#pragma unroll
        for (int s = 0; s < E; s += S) {
            float part[S];
#pragma unroll
            for (int e = 0; e < S; ++e) part[e] = values[s + e];
            store_floats<S>(target + s, part);
        }
    });
}

/// V is float4 or float.
template <class V>
__global__ void __launch_bounds__(kThreads)
    gather_kernel(const V* x, const int* rows, int n, int pieces, V* y) {
    for_pieces(n, pieces, [&](int piece, int i) {
        y[static_cast<std::int64_t>(i) * pieces + piece] = x[static_cast<std::int64_t>(rows[i]) * pieces + piece];
    });
}

__device__ __forceinline__ float scaled_sum(float gate, float y, float x) { return fmaf(gate, y, x); }
__device__ __forceinline__ float4 scaled_sum(float gate, const float4& y, const float4& x) {
    return make_float4(fmaf(gate, y.x, x.x), fmaf(gate, y.y, x.y), fmaf(gate, y.z, x.z), fmaf(gate, y.w, x.w));
}

template <class V, bool Gated>
__global__ void __launch_bounds__(kThreads)
    combine_kernel(const V* y, const int* rows, const float* gates, int n, int pieces, V* x) {
    for_pieces(n, pieces, [&](int piece, int i) {
        V value = y[static_cast<std::int64_t>(i) * pieces + piece];
        V* const target = x + static_cast<std::int64_t>(rows[i]) * pieces + piece;
        if constexpr (Gated) value = scaled_sum(gates[i], value, *target);
        *target = value;
    });
}

/// Calls f(static_cast<V*>(nullptr), pieces of a row) with V = float4 where both buffers allow it, else float.
template <class F>
void with_pieces(const float* a, const float* b, int width, F&& f) {
    if (width % 4 == 0 && aligned16(a) && aligned16(b)) return f(static_cast<float4*>(nullptr), width / 4);
    f(static_cast<float*>(nullptr), width);
}

template <class T, int E>
void start_embed(Context& c, const DeviceMatrix& table, const int* ids, const int* rows, int n, float* x) {
    gpu::launch(embed_kernel<T, E>, grid_of(n, table.in / E), dim3(kThreads), 0, c.stream,
                static_cast<const T*>(table.data), ids, rows, n, table.in, x);
}

}  // namespace

void embed(Context& c, const DeviceMatrix& table, const int* ids, const int* rows, int n, float* x) {
    if (n == 0) return;
    with_element(table.dtype, [&](auto element) {
        using T = typename decltype(element)::type;
        constexpr int E = kPerVector<T>;
        if (table.in % E == 0 && aligned16(table.data) && aligned16(x))
            start_embed<T, E>(c, table, ids, rows, n, x);
        else
            start_embed<T, 1>(c, table, ids, rows, n, x);
    });
    check(cudaGetLastError(), "embed");
}

void gather(Context& c, const float* x, const int* rows, int n, int width, float* y) {
    if (n == 0 || width == 0) return;
    with_pieces(x, y, width, [&](auto* piece, int pieces) {
        using V = std::remove_pointer_t<decltype(piece)>;
        gpu::launch(gather_kernel<V>, grid_of(n, pieces), dim3(kThreads), 0, c.stream, reinterpret_cast<const V*>(x), rows,
                    n, pieces, reinterpret_cast<V*>(y));
    });
    check(cudaGetLastError(), "gather");
}

void combine(Context& c, const float* y, const int* rows, const float* gates, int n, int width, float* x) {
    if (n == 0 || width == 0) return;
    with_pieces(x, y, width, [&](auto* piece, int pieces) {
        using V = std::remove_pointer_t<decltype(piece)>;
        const auto kernel = gates ? combine_kernel<V, true> : combine_kernel<V, false>;
        gpu::launch(kernel, grid_of(n, pieces), dim3(kThreads), 0, c.stream, reinterpret_cast<const V*>(y), rows, gates, n,
                    pieces, reinterpret_cast<V*>(x));
    });
    check(cudaGetLastError(), "combine");
}

}  // namespace mor::cuda
