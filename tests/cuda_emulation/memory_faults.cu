// SPDX-License-Identifier: Apache-2.0
// Mistakes with memory: bounds, alignment, lifetime, limits.
#include <memory>

#include "cuda_emulation/planted_faults.hpp"

namespace planted {
namespace {

constexpr int kThreads = 64;

// --- bounds. Sizes are such that an overrun stays within the gap behind the memory.

template <int Places>
__global__ void fill_shared(float* y) {
    GPU_SHARED(float, place, [kThreads]);
    GPU_SHARED(float, neighbour, [kThreads]);
    neighbour[threadIdx.x] = 1;
    for (int i = int(threadIdx.x); i < Places; i += kThreads) place[i] = 2;
    __syncthreads();
    y[threadIdx.x] = neighbour[threadIdx.x];
}

template <int Places>
bool shared_overrun() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    gpu::launch(fill_shared<Places>, 1, kThreads, 0, p.stream, y);
    return p.value(y) == 1;
}

__global__ void fill_dynamic(float* y, int places) {
    GPU_DYN_SHARED(float, place);
    for (int i = int(threadIdx.x); i < places; i += kThreads) place[i] = 2;
    __syncthreads();
    y[threadIdx.x] = place[threadIdx.x];
}

template <int Places>
bool dynamic_overrun() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    gpu::launch(fill_dynamic, 1, kThreads, kThreads * sizeof(float), p.stream, y, Places);
    return p.value(y) == 2;
}

__global__ void copy_elements(const float* x, float* y, int n) {
    for (int i = int(threadIdx.x); i < n; i += kThreads) y[i] = x[i];
}

template <int Written>
bool global_write() {
    Playground p;
    float* x = p.counting(kThreads + 1);
    float* y = p.zeros<float>(kThreads);
    gpu::launch(copy_elements, 1, kThreads, 0, p.stream, x, y, Written);
    return p.value(y + 3) == 3;
}

__global__ void add_elements(const float* x, float* y, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += x[i];
    *y = sum;
}

template <int Read>
bool global_read() {
    Playground p;
    float* x = p.counting(kThreads);
    float* y = p.zeros<float>(1);
    gpu::launch(add_elements, 1, 1, 0, p.stream, x, y, Read);
    return p.value(y) == kThreads * (kThreads - 1) / 2;
}

__global__ void load_four(const float* x, float* y) { *y = reinterpret_cast<const float4*>(x)->x; }

template <int First>
bool vector_load() {
    Playground p;
    float* x = p.counting(kThreads);
    float* y = p.zeros<float>(1);
    gpu::launch(load_four, 1, 1, 0, p.stream, x + First, y);
    return p.value(y) == First;
}

// --- lifetime and content

template <bool Right>
bool use_after_free() {
    Playground p;
    float* y = p.zeros<float>(1);
    float* x = nullptr;
    cudaMallocAsync(&x, sizeof(float) * kThreads, p.stream);
    cudaMemsetAsync(x, 0, sizeof(float) * kThreads, p.stream);
    if (!Right) cudaFreeAsync(x, p.stream);
    gpu::launch(add_elements, 1, 1, 0, p.stream, x, y, kThreads);
    if (Right) cudaFreeAsync(x, p.stream);
    return p.value(y) == 0;
}

template <bool Right>
bool double_free() {
    Playground p;
    float* x = nullptr;
    cudaMallocAsync(&x, sizeof(float), p.stream);
    cudaFreeAsync(x, p.stream);
    return Right || cudaFreeAsync(x, p.stream) == cudaSuccess;
}

template <bool Right>
bool uninitialised() {
    Playground p;
    float* x = Right ? p.zeros<float>(kThreads) : p.take<float>(kThreads);
    float* y = p.zeros<float>(1);
    gpu::launch(add_elements, 1, 1, 0, p.stream, x, y, kThreads);
    return p.value(y) == 0;
}

template <bool Right>
bool leak() {
    float* x = nullptr;
    cudaMalloc(&x, 64);
    return !Right || cudaFree(x) == cudaSuccess;
}

template <bool Right>
bool host_pointer() {
    Playground p;
    float* y = p.zeros<float>(1);
    float* pinned = nullptr;
    cudaMallocHost(&pinned, sizeof(float));
    const auto pageable = std::make_unique<float>(7.0f);
    *pinned = 7;
    gpu::launch(add_elements, 1, 1, 0, p.stream, Right ? pinned : pageable.get(), y, 1);
    const bool right = p.value(y) == 7;
    cudaFreeHost(pinned);
    return right;
}

template <bool Right>
bool host_follows_device_pointer() {
    Playground p;
    const float* x = p.counting(1);
    return (Right ? p.value(x) : *x) == 0;
}

template <bool Right>
bool copy_overrun() {
    Playground p;
    float* x = p.zeros<float>(4);
    const float host[5] = {};
    return cudaMemcpyAsync(x, host, Right ? 16 : 20, cudaMemcpyHostToDevice, p.stream) == cudaSuccess;
}

// --- limits

template <int Threads>
bool block_size() {
    Playground p;
    float* y = p.zeros<float>(2048);
    gpu::launch(copy_elements, 1, Threads, 0, p.stream, y, y, 1);
    return cudaGetLastError() == cudaSuccess;
}

template <bool Right>
bool no_blocks() {
    Playground p;
    float* y = p.zeros<float>(1);
    gpu::launch(copy_elements, Right ? 1 : 0, 32, 0, p.stream, y, y, 1);
    return cudaGetLastError() == cudaSuccess;
}

template <bool Right>
bool much_shared() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    constexpr int bytes = 64 << 10;
    if (Right) cudaFuncSetAttribute(fill_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    gpu::launch(fill_dynamic, 1, kThreads, bytes, p.stream, y, kThreads);
    return cudaGetLastError() == cudaSuccess && p.value(y) == 2;
}

constexpr Fault kFaults[] = {
    {"shared-overrun", shared_overrun<kThreads + 1>},
    {"right-shared", shared_overrun<kThreads>},
    {"dynamic-overrun", dynamic_overrun<kThreads + 1>},
    {"right-dynamic", dynamic_overrun<kThreads>},
    {"global-write", global_write<kThreads + 1>},
    {"right-write", global_write<kThreads>},
    {"global-read", global_read<kThreads + 1>},
    {"right-read", global_read<kThreads>},
    {"misaligned-load", vector_load<1>},
    {"right-load", vector_load<4>},
    {"use-after-free", use_after_free<false>},
    {"right-free", use_after_free<true>},
    {"double-free", double_free<false>},
    {"right-single-free", double_free<true>},
    {"uninitialised", uninitialised<false>},
    {"right-initialised", uninitialised<true>},
    {"leak", leak<false>},
    {"right-freed", leak<true>},
    {"host-pointer", host_pointer<false>},
    {"right-pinned", host_pointer<true>},
    {"host-follows-device-pointer", host_follows_device_pointer<false>},
    {"right-read-back", host_follows_device_pointer<true>},
    {"copy-overrun", copy_overrun<false>},
    {"right-copy", copy_overrun<true>},
    {"many-threads", block_size<1056>},
    {"right-threads", block_size<1024>},
    {"no-blocks", no_blocks<false>},
    {"right-blocks", no_blocks<true>},
    {"much-shared", much_shared<false>},
    {"right-much-shared", much_shared<true>},
};

}  // namespace

std::span<const Fault> memory_faults() { return kFaults; }

}  // namespace planted
