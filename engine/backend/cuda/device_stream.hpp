// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "backend/cuda/gpu_compat.hpp"

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

/// The device and the one stream that everything is put into. Memory comes from the device's pool and is given back in
/// stream order, so neither waits; everything allocated holds on to the stream.
class DeviceStream : public std::enable_shared_from_this<DeviceStream> {
public:
    explicit DeviceStream(DeviceInfo);
    ~DeviceStream();  ///< waits, and gives unused memory of the pool back to the system
    DeviceStream(const DeviceStream&) = delete;
    DeviceStream& operator=(const DeviceStream&) = delete;

    /// At least one byte, 256-byte aligned, uninitialised. Throws DeviceError saying how much is asked for and free.
    std::shared_ptr<std::byte> allocate(std::size_t bytes);

    /// CUDA remembers the device for each thread; every call from outside begins with this.
    void enter() const;

    cudaStream_t stream() const { return stream_; }
    const DeviceInfo& device() const { return device_; }

private:
    DeviceInfo device_;
    cudaMemPool_t pool_ = nullptr;
    cudaStream_t stream_ = nullptr;
};

}  // namespace mor::cuda
