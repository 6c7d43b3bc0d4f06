// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The one place that knows whether CUDA is real. Every other file of this folder is the same for nvcc and for g++ with
/// the emulated execution model of tests/cuda_emulation, which declares the runtime and cuBLAS names used here.
///
/// Shared memory is declared with GPU_SHARED(float, name, [32]) or GPU_DYN_SHARED(float, name), and kernels start with
/// gpu::launch(kernel, grid, block, dynamic_shared_bytes, stream, arguments...).
#ifdef MOR_CUDA_EMULATION
#include "cuda_emulation/cuda_emulation.hpp"
#else
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define GPU_SHARED(T, name, extent) __shared__ T name extent
#define GPU_DYN_SHARED(T, name)                                         \
    extern __shared__ __align__(16) unsigned char gpu_dynamic_shared[]; \
    T* name = reinterpret_cast<T*>(gpu_dynamic_shared)

namespace gpu {

/// Starts a kernel; what the launch itself reports is found by cudaGetLastError().
template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream, A&&... arguments) {
#ifdef __CUDACC__
    // clang-format off
    kernel<<<grid, block, shared, stream>>>(static_cast<P>(arguments)...);
    // clang-format on
#endif
}

}  // namespace gpu
#endif
