// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/many_rows.hpp"

#include <algorithm>
#include <cstdint>

#include "backend/cuda/load.cuh"
#include "backend/cuda/reductions.cuh"

namespace mor::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kSlabFloats = 16 << 20;  ///< of widened weights at a time: 64 MiB

/// y[i] = RMSNorm(x[rows[i]]), one block per row, S elements per access. norm null: the row itself.
template <class Y, int S>
__global__ void __launch_bounds__(kThreads)
    normalise_kernel(const float* x, const int* rows, int width, const float* norm, float eps, Y* y) {
    GPU_SHARED(float, partial, [kThreads / 32]);
    const int i = static_cast<int>(blockIdx.x);
    const float* const source = x + static_cast<std::int64_t>(rows ? rows[i] : i) * width;
    Y* const target = y + static_cast<std::int64_t>(i) * width;
    const int first = static_cast<int>(threadIdx.x) * S;
    float scale = 1;
    if (norm) {
        float squares = 0;
        for (int k = first; k < width; k += kThreads * S) {
            Packed<float, S> packed;
            packed.load(source + k);
            float values[S];
            packed.unpack(values);
#pragma unroll
            for (int s = 0; s < S; ++s) squares = fmaf(values[s], values[s], squares);
        }
        scale = 1.0f / sqrtf(block_sum(squares, partial) / static_cast<float>(width) + eps);
    }
    for (int k = first; k < width; k += kThreads * S) {
        Packed<float, S> packed, weight;
        packed.load(source + k);
        float values[S], g[S];
        packed.unpack(values);
        if (norm) {
            weight.load(norm + k);
            weight.unpack(g);
#pragma unroll
            for (int s = 0; s < S; ++s) values[s] = values[s] * scale * g[s];
        }
        store_floats<S>(target + k, values);
    }
}

template <class T, int E>
__global__ void __launch_bounds__(kThreads) widen_kernel(const T* source, std::int64_t count, float* target) {
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads * E;
    for (std::int64_t k = (static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x) * E; k < count; k += step) {
        Packed<T, E> packed;
        packed.load(source + k);
        float values[E];
        packed.unpack(values);
        if constexpr (E == 8) {
            *reinterpret_cast<float4*>(target + k) = make_float4(values[0], values[1], values[2], values[3]);
            *reinterpret_cast<float4*>(target + k + 4) = make_float4(values[4], values[5], values[6], values[7]);
        } else {
            target[k] = values[0];
        }
    }
}

template <class T>
void widen(Context& c, const void* source, std::int64_t count, float* target) {
    constexpr int E = kPerVector<T>;
    const bool vectors = count % E == 0 && aligned16(source);
    const std::int64_t per_block = kThreads * (vectors ? E : 1);
    const auto blocks = static_cast<unsigned>(
        std::min<std::int64_t>((count + per_block - 1) / per_block, c.device.multiprocessors * std::int64_t{8}));
    gpu::launch(vectors ? widen_kernel<T, E> : widen_kernel<T, 1>, dim3(blocks), dim3(kThreads), 0, c.stream,
                static_cast<const T*>(source), count, target);
    check(cudaGetLastError(), "widening weights");
}

bool on_tensor_cores(const Context& c, const DeviceMatrix& w) { return c.compute == DType::BF16 && w.dtype == DType::BF16; }

template <class Y>
void normalise(Context& c, const float* x, const int* rows, int n, int width, const float* norm, float eps, Y* y) {
    const bool vectors = width % 4 == 0 && aligned16(x) && (!norm || aligned16(norm));
    gpu::launch(vectors ? normalise_kernel<Y, 4> : normalise_kernel<Y, 1>, dim3(static_cast<unsigned>(n)), dim3(kThreads),
                0, c.stream, x, rows, width, norm, eps, y);
    check(cudaGetLastError(), "RMSNorm");
}

/// Column-major cuBLAS sees y^T [ldy, n] = w [in, outs]^T a [in, n].
void multiply_bf16(Context& c, const void* w, int outs, const void* a, int in, int n, float* y, int ldy, bool add) {
    const float one = 1, beta = add ? 1.0f : 0.0f;
    check(cublasGemmEx(c.blas, CUBLAS_OP_T, CUBLAS_OP_N, outs, n, in, &one, w, CUDA_R_16BF, in, a, CUDA_R_16BF, in, &beta,
                       y, CUDA_R_32F, ldy, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
          "matrix product in bfloat16");
}

void multiply_f32(Context& c, const float* w, int outs, const float* a, int in, int n, float* y, int ldy, bool add) {
    const float one = 1, beta = add ? 1.0f : 0.0f;
    check(cublasSgemm(c.blas, CUBLAS_OP_T, CUBLAS_OP_N, outs, n, in, &one, w, in, a, in, &beta, y, ldy),
          "matrix product in float32");
}

}  // namespace

bool is_few_rows(const Context& c, const DeviceMatrix& w, int n) {
    constexpr int kRows = 8, kRowsUnwidened = 32;
    const bool needs_widening = w.dtype != DType::F32 && !on_tensor_cores(c, w);
    return n <= (needs_widening ? kRowsUnwidened : kRows);
}

Activations activations(Context& c, const DeviceMatrix& w, const float* norm, float eps, const float* x, const int* rows,
                        int n) {
    const std::size_t count = static_cast<std::size_t>(n) * w.in;
    if (on_tensor_cores(c, w)) {
        auto* const y = c.workspace.of<__nv_bfloat16>(norm ? slot::normed : slot::converted, count);
        normalise(c, x, rows, n, w.in, norm, eps, y);
        return {y, DType::BF16, w.in};
    }
    if (!norm && !rows) return {x, DType::F32, w.in};
    auto* const y = c.workspace.of<float>(slot::normed, count);
    normalise(c, x, rows, n, w.in, norm, eps, y);
    return {y, DType::F32, w.in};
}

void many_rows_product(Context& c, const DeviceMatrix& w, int begin, int end, const Activations& a, int first, int n,
                       float* y, int ldy, bool add) {
    const std::int64_t in = w.in, skipped = first * in;
    const auto* const weights = static_cast<const std::byte*>(w.data) + begin * in * bytes_of(w.dtype);
    if (a.dtype == DType::BF16) {
        const auto* const source = static_cast<const __nv_bfloat16*>(a.data) + skipped;
        return multiply_bf16(c, weights, end - begin, source, w.in, n, y, ldy, add);
    }
    const float* const source = static_cast<const float*>(a.data) + skipped;
    if (w.dtype == DType::F32)
        return multiply_f32(c, reinterpret_cast<const float*>(weights), end - begin, source, w.in, n, y, ldy, add);
    const int slab = static_cast<int>(std::clamp<std::int64_t>(kSlabFloats / in, 1, end - begin));
    float* const wide = c.workspace.of<float>(slot::widened, static_cast<std::size_t>(slab * in));
    for (int o = 0; o < end - begin; o += slab) {
        const int outs = std::min(slab, end - begin - o);
        const void* const narrow = weights + o * in * bytes_of(w.dtype);
        if (w.dtype == DType::F16)
            widen<__half>(c, narrow, outs * in, wide);
        else
            widen<__nv_bfloat16>(c, narrow, outs * in, wide);
        multiply_f32(c, wide, outs, source, w.in, n, y + o, ldy, add);
    }
}

}  // namespace mor::cuda
