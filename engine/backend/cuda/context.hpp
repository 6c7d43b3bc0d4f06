// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "backend/cuda/gpu_compat.hpp"
#include "mor/types.hpp"

/// What every operation on the device works with. Everything is enqueued on one stream and nothing waits, but for the
/// operations whose result the host asked for: router, route, pick, download.
namespace mor::cuda {

struct DeviceInfo {
    int index = 0;
    std::string name;          ///< "NVIDIA H100 PCIe"
    int major = 0, minor = 0;  ///< compute capability
    int multiprocessors = 0;
    std::size_t total_memory = 0;            ///< bytes
    std::size_t shared_per_block = 0;        ///< bytes without opting in
    std::size_t shared_per_block_optin = 0;  ///< bytes with cudaFuncAttributeMaxDynamicSharedMemorySize
    double memory_bandwidth = 0;             ///< bytes per second from clock and bus width, 0 where unknown
    double peak_flops = 0;                   ///< float32, from clock and multiprocessors, 0 where unknown

    bool early_launches() const { return major >= 9; }  ///< see gpu::launch_early
};

/// Throws mor::Error naming `what` and CUDA's own words; memory errors say how much was asked for.
void check(cudaError_t, const char* what);
void check(cublasStatus_t, const char* what);

/// Device memory for intermediate results of one operation. A slot keeps its memory and grows; its content is
/// undefined at the next call. Growing frees in stream order, so nothing waits.
class Workspace {
public:
    virtual ~Workspace() = default;
    virtual void* bytes(int slot, std::size_t count) = 0;  ///< 256-byte aligned
    template <class T>
    T* of(int slot, std::size_t count) {
        return static_cast<T*>(bytes(slot, count * sizeof(T)));
    }
};

/// Slots of the workspace, one for each use, so that two operations never fight over one.
namespace slot {
enum : int {
    normed,
    widened,
    converted,
    projected,
    split_attention,
    router_inner,
    router_outputs,
    compaction,
    picks,
    picked,
    count
};
}

/// Pinned host memory that the device reads in place, in a ring. put() copies a list; the pointer it returns stays valid
/// for all work enqueued before the ring comes round, which waits for an event and never for the whole stream.
class Staging {
public:
    virtual ~Staging() = default;
    virtual const void* put_bytes(const void* host, std::size_t count) = 0;
    template <class T>
    const T* put(std::span<const T> host) {
        return static_cast<const T*>(put_bytes(host.data(), host.size_bytes()));
    }
};

/// Pinned host memory that results are copied to: start() enqueues the copy, finish() waits for it and for nothing that
/// was enqueued behind it. The content stays until the next start().
class Readback {
public:
    virtual ~Readback() = default;
    virtual void start(const void* device, std::size_t bytes) = 0;
    virtual const void* finish() = 0;
    const void* get(const void* device, std::size_t bytes) {
        start(device, bytes);
        return finish();
    }
};

struct Context {
    cudaStream_t stream = nullptr;
    cublasHandle_t blas = nullptr;  ///< bound to the stream, host pointer mode, TF32 off
    const DeviceInfo& device;
    Workspace& workspace;
    Staging& staging;
    Readback& readback;
    DType compute = DType::F32;  ///< F32, or BF16 activations for products of many rows
};

/// [out, in], row-major, on the device, 256-byte aligned.
struct DeviceMatrix {
    const void* data = nullptr;
    DType dtype = DType::F32;
    int out = 0;
    int in = 0;
};

}  // namespace mor::cuda
