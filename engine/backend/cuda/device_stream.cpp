// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/device_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "backend/cuda/device.hpp"
#include "mor/error.hpp"

namespace mor::cuda {
namespace {

DeviceError out_of_memory(const DeviceInfo& device, std::size_t bytes) {
    std::size_t free = 0, total = 0;
    cudaGetLastError();
    std::string text = "CUDA: out of memory on " + device.name + ": " + bytes_text(bytes) + " asked for";
    if (cudaMemGetInfo(&free, &total) == cudaSuccess)
        text += ", " + bytes_text(free) + " of " + bytes_text(total) + " free";
    return DeviceError(text + "; close other programs on the device, use a smaller model or a shorter text");
}

}  // namespace

DeviceStream::DeviceStream(DeviceInfo device) : device_(std::move(device)) {
    enter();
    check(cudaDeviceGetDefaultMemPool(&pool_, device_.index), "find the device's memory pool");
    std::uint64_t keep = UINT64_MAX;  // what is freed stays with the pool until the last model is gone
    check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep), "set up the device's memory pool");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
}

DeviceStream::~DeviceStream() {
    cudaSetDevice(device_.index);
    cudaStreamSynchronize(stream_);
    cudaStreamDestroy(stream_);
    cudaMemPoolTrimTo(pool_, 0);
}

void DeviceStream::enter() const { check(cudaSetDevice(device_.index), "select the device"); }

std::shared_ptr<std::byte> DeviceStream::allocate(std::size_t bytes) {
    void* memory = nullptr;
    const cudaError_t status = cudaMallocAsync(&memory, std::max<std::size_t>(bytes, 1), stream_);
    if (status == cudaErrorMemoryAllocation) throw out_of_memory(device_, bytes);
    check(status, "allocate device memory");
    return {static_cast<std::byte*>(memory), [self = shared_from_this()](std::byte* p) {
                cudaSetDevice(self->device_.index);
                cudaFreeAsync(p, self->stream_);
            }};
}

}  // namespace mor::cuda
