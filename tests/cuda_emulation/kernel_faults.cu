// SPDX-License-Identifier: Apache-2.0
// Mistakes inside of kernels: order of memory accesses, barriers, warps.
#include "cuda_emulation/planted_faults.hpp"

namespace planted {
namespace {

constexpr int kThreads = 128;

// --- missing barriers

template <bool Right>
__global__ void reverse(const float* x, float* y) {
    GPU_SHARED(float, swap, [kThreads]);
    swap[threadIdx.x] = x[threadIdx.x];
    if (Right) __syncthreads();
    y[threadIdx.x] = swap[kThreads - 1 - threadIdx.x];
}

template <bool Right>
bool missing_barrier() {
    Playground p;
    float* x = p.counting(kThreads);
    float* y = p.zeros<float>(kThreads);
    gpu::launch(reverse<Right>, 1, kThreads, 0, p.stream, x, y);
    bool right = true;
    for (int i = 0; i < kThreads; ++i) right &= p.value(y + i) == float(kThreads - 1 - i);
    return right;
}

/// A second use of the same shared memory, without waiting for the readers of the first: order alone rarely shows it.
template <bool Right>
__global__ void reuse(float* y) {
    GPU_SHARED(int, turn, [1]);
    for (int i = 0; i < 3; ++i) {
        if (threadIdx.x == 0) turn[0] = i;
        __syncthreads();
        y[threadIdx.x] += float(turn[0]);
        if (Right) __syncthreads();
    }
}

template <bool Right>
bool missing_second_barrier() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    gpu::launch(reuse<Right>, 1, kThreads, 0, p.stream, y);
    bool right = true;
    for (int i = 0; i < kThreads; ++i) right &= p.value(y + i) == 3.0f;
    return right;
}

template <bool Right>
__global__ void exchange_in_warp(float* y) {
    GPU_SHARED(float, swap, [32]);
    swap[threadIdx.x] = float(threadIdx.x);
    if (Right) __syncwarp();
    y[threadIdx.x] = swap[31 - threadIdx.x];
}

template <bool Right>
bool missing_syncwarp() {
    Playground p;
    float* y = p.zeros<float>(32);
    gpu::launch(exchange_in_warp<Right>, 1, 32, 0, p.stream, y);
    bool right = true;
    for (int i = 0; i < 32; ++i) right &= p.value(y + i) == float(31 - i);
    return right;
}

// --- barriers that not all threads reach together

template <bool Right>
__global__ void barrier_in_branch(float* y) {
    if (threadIdx.x < kThreads / 2 || Right) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[threadIdx.x] = 1;
}

template <bool Right>
__global__ void barrier_after_return(float* y) {
    if (threadIdx.x == 5 && !Right) return;
    __syncthreads();
    y[threadIdx.x] = 1;
}

template <bool Right>
__global__ void warp_waits_for_barrier(float* y) {
    if (threadIdx.x == 0 && !Right) __syncthreads();
    __syncwarp();
    __syncthreads();
    y[threadIdx.x] = 1;
}

template <void (*Kernel)(float*)>
bool run() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    gpu::launch(Kernel, 2, kThreads, 0, p.stream, y);
    return p.value(y + 1) == 1;
}

// --- between threads and blocks

template <bool Right>
__global__ void add_up(float* sum) {
    if (Right) {
        atomicAdd(sum, 1.0f);
    } else {
        *sum += 1;
    }
}

template <bool Right>
bool lost_atomic() {
    Playground p;
    float* sum = p.zeros<float>(1);
    gpu::launch(add_up<Right>, 64, 1, 0, p.stream, sum);
    return p.value(sum) == 64;
}

/// The block that comes last adds up what all have written: that takes a fence between data and counter.
template <bool Right>
__global__ void last_block_adds(float* parts, int* arrived, float* sum) {
    parts[blockIdx.x] = 1;
    if (Right) __threadfence();
    if (atomicAdd(arrived, 1) != int(gridDim.x) - 1) return;
    if (Right) __threadfence();
    float all = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) all += parts[i];
    *sum = all;
}

template <bool Right>
bool missing_fence() {
    Playground p;
    float* parts = p.zeros<float>(64);
    int* arrived = p.zeros<int>(1);
    float* sum = p.zeros<float>(1);
    gpu::launch(last_block_adds<Right>, 64, 1, 0, p.stream, parts, arrived, sum);
    return p.value(sum) == 64;
}

// --- warps

template <bool Right>
__global__ void sum_of_few(float* y) {
    if (threadIdx.x >= 20 && !Right) return;
    float v = threadIdx.x < 20 ? 1.0f : 0.0f;
    for (int lanes = 16; lanes > 0; lanes /= 2) v += __shfl_xor_sync(~0u, v, lanes);
    y[threadIdx.x] = v;
}

template <bool Right>
__global__ void caller_not_in_mask(float* y) {
    const float v = __shfl_sync(Right ? ~0u : 0x7fffffffu, 1.0f, 0);
    y[threadIdx.x] = v;
}

template <bool Right>
__global__ void two_masks(float* y) {
    unsigned mask = ~0u;
    if (!Right && threadIdx.x % 2) mask = 0xaaaaaaaau;
    y[threadIdx.x] = __shfl_sync(mask, 1.0f, threadIdx.x % 32);
}

template <void (*Kernel)(float*), int Expected>
bool run_warp() {
    Playground p;
    float* y = p.zeros<float>(kThreads);
    gpu::launch(Kernel, 1, 32, 0, p.stream, y);
    return p.value(y) == float(Expected);
}

constexpr Fault kFaults[] = {
    {"missing-barrier", missing_barrier<false>},
    {"right-barrier", missing_barrier<true>},
    {"missing-second-barrier", missing_second_barrier<false>},
    {"right-second-barrier", missing_second_barrier<true>},
    {"missing-syncwarp", missing_syncwarp<false>},
    {"right-syncwarp", missing_syncwarp<true>},
    {"divergent-barrier", run<barrier_in_branch<false>>},
    {"right-branch", run<barrier_in_branch<true>>},
    {"barrier-after-return", run<barrier_after_return<false>>},
    {"right-return", run<barrier_after_return<true>>},
    {"warp-waits-for-barrier", run<warp_waits_for_barrier<false>>},
    {"right-warp-and-barrier", run<warp_waits_for_barrier<true>>},
    {"lost-atomic", lost_atomic<false>},
    {"right-atomic", lost_atomic<true>},
    {"missing-fence", missing_fence<false>},
    {"right-fence", missing_fence<true>},
    {"shuffle-from-inactive-lane", run_warp<sum_of_few<false>, 20>},
    {"right-shuffle", run_warp<sum_of_few<true>, 20>},
    {"caller-not-in-mask", run_warp<caller_not_in_mask<false>, 1>},
    {"right-mask", run_warp<caller_not_in_mask<true>, 1>},
    {"two-masks", run_warp<two_masks<false>, 1>},
    {"right-masks", run_warp<two_masks<true>, 1>},
};

}  // namespace

std::span<const Fault> kernel_faults() { return kFaults; }

}  // namespace planted
