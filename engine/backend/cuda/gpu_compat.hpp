// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The one place that knows whether CUDA is real. Every other file of this folder is the same for nvcc and for g++ with
/// the emulated execution model of tests/cuda_emulation, which declares the runtime and cuBLAS names used here.
///
/// Shared memory is declared with GPU_SHARED(float, name, [32]) or GPU_DYN_SHARED(float, name), and kernels start with
/// gpu::launch(kernel, grid, block, dynamic_shared_bytes, stream, arguments...).
///
/// gpu::launch_early starts a kernel that may begin while the one before it still runs (programmatic dependent launch, from
/// compute capability 9.0): what it does before gpu::wait_for_previous() overlaps with the end of that kernel, so it may
/// touch nothing that a kernel writes; weights, for instance. Every thread of such a kernel calls wait_for_previous().
/// gpu::let_next_start() at the beginning of a kernel lets the next one begin as soon as there is room beside it; the next
/// one's wait still lasts until this kernel has ended. On the emulated device, and on older ones, kernels follow each
/// other.
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

/// `able`: the device's compute capability is 9.0 or later.
template <class... P, class... A>
void launch_early(bool able, void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream,
                  A&&... arguments) {
    cudaLaunchAttribute early{};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    const cudaLaunchConfig_t config{grid, block, shared, stream, &early, able ? 1u : 0u};
    cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...);  // its error stays for cudaGetLastError()
}

#ifdef __CUDACC__
__device__ __forceinline__ void let_next_start() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    cudaTriggerProgrammaticLaunchCompletion();
#endif
}

__device__ __forceinline__ void wait_for_previous() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    cudaGridDependencySynchronize();
#endif
}
#endif

}  // namespace gpu
#endif
