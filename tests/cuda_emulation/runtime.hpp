// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda_emulation/types.hpp"

/// The part of the CUDA runtime that the backend uses, with the runtime's names, types and meanings. Work is put into
/// streams and runs when something waits for it, so nothing is there sooner than CUDA promises.
enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInitializationError = 3,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInvalidMemcpyDirection = 21,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchFailure = 719,
    cudaErrorUnknown = 999,
};
using cudaError = cudaError_t;

enum cudaMemcpyKind {
    cudaMemcpyHostToHost = 0,
    cudaMemcpyHostToDevice = 1,
    cudaMemcpyDeviceToHost = 2,
    cudaMemcpyDeviceToDevice = 3,
    cudaMemcpyDefault = 4,
};
enum cudaFuncAttribute {
    cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
    cudaFuncAttributePreferredSharedMemoryCarveout = 9,
};
enum cudaDeviceAttr {
    cudaDevAttrMaxThreadsPerBlock = 1,
    cudaDevAttrMaxSharedMemoryPerBlock = 8,
    cudaDevAttrWarpSize = 10,
    cudaDevAttrClockRate = 13,
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrMemoryClockRate = 36,
    cudaDevAttrGlobalMemoryBusWidth = 37,
    cudaDevAttrL2CacheSize = 38,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
    cudaDevAttrMemoryPoolsSupported = 115,
};

inline constexpr unsigned cudaStreamDefault = 0, cudaStreamNonBlocking = 1;
inline constexpr unsigned cudaEventDefault = 0, cudaEventBlockingSync = 1, cudaEventDisableTiming = 2;
inline constexpr unsigned cudaHostAllocDefault = 0, cudaHostAllocPortable = 1, cudaHostAllocMapped = 2,
                          cudaHostAllocWriteCombined = 4;

struct cudaDeviceProp {
    char name[256];
    std::size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin, sharedMemPerMultiprocessor;
    int regsPerBlock, regsPerMultiprocessor, warpSize, maxThreadsPerBlock, maxThreadsPerMultiProcessor;
    int maxThreadsDim[3], maxGridSize[3];
    int major, minor, multiProcessorCount, memoryBusWidth, l2CacheSize;
    int integrated, canMapHostMemory, unifiedAddressing, concurrentKernels, ECCEnabled, memoryPoolsSupported;
    int pciBusID, pciDeviceID, pciDomainID;
};

namespace cuda_emulation {
struct Stream;
struct Event;
struct MemoryPool;
}  // namespace cuda_emulation
using cudaStream_t = cuda_emulation::Stream*;
using cudaEvent_t = cuda_emulation::Event*;
using cudaMemPool_t = cuda_emulation::MemoryPool*;
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };

const char* cudaGetErrorString(cudaError_t);
const char* cudaGetErrorName(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

// --- devices
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaDeviceReset();
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t*, int device);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value);
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t keep);

// --- streams and events
cudaError_t cudaStreamCreate(cudaStream_t*, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned flags,
                                      cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamQuery(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags = 0);
cudaError_t cudaEventCreate(cudaEvent_t*, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned flags,
                                     cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaEventQuery(cudaEvent_t);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end);

// --- memory
namespace cuda_emulation {

cudaError_t allocate_device(void** memory, std::size_t bytes, cudaStream_t, bool in_stream_order, Where);
cudaError_t allocate_pinned(void** memory, std::size_t bytes, Where);

}  // namespace cuda_emulation

template <class T>
cudaError_t cudaMalloc(T** memory, std::size_t bytes, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::allocate_device(reinterpret_cast<void**>(memory), bytes, nullptr, false, where);
}
template <class T>
cudaError_t cudaMallocAsync(T** memory, std::size_t bytes, cudaStream_t stream,
                            cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::allocate_device(reinterpret_cast<void**>(memory), bytes, stream, true, where);
}
template <class T>
cudaError_t cudaMallocHost(T** memory, std::size_t bytes, unsigned = 0,
                           cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::allocate_pinned(reinterpret_cast<void**>(memory), bytes, where);
}
template <class T>
cudaError_t cudaHostAlloc(T** memory, std::size_t bytes, unsigned,
                          cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::allocate_pinned(reinterpret_cast<void**>(memory), bytes, where);
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags);
cudaError_t cudaFree(void*, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaFreeAsync(void*, cudaStream_t, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaFreeHost(void*, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                       cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t = nullptr,
                            cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaMemset(void*, int value, std::size_t bytes, cuda_emulation::Where = cuda_emulation::Where::current());
cudaError_t cudaMemsetAsync(void*, int value, std::size_t bytes, cudaStream_t = nullptr,
                            cuda_emulation::Where = cuda_emulation::Where::current());

// --- kernels
namespace cuda_emulation {
cudaError_t set_function_attribute(const void* kernel, cudaFuncAttribute, int value);
}
template <class... P>
cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute attribute, int value) {
    return cuda_emulation::set_function_attribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
inline cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
    return cuda_emulation::set_function_attribute(kernel, attribute, value);
}
