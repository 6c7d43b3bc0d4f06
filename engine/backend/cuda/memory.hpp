// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/context.hpp"

/// Device memory. All of it comes from the device's pool and is given back in stream order, so neither waits.
namespace mor::cuda {

/// The device and the one stream that everything is put into. Everything allocated holds on to it.
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

/// See Workspace.
class DeviceWorkspace final : public Workspace {
public:
    explicit DeviceWorkspace(std::shared_ptr<DeviceStream>);
    void* bytes(int slot, std::size_t count) override;
    void release();  ///< everything, in stream order

private:
    struct Piece {
        std::shared_ptr<std::byte> memory;
        std::size_t size = 0;
    };
    std::shared_ptr<DeviceStream> stream_;
    std::vector<Piece> pieces_;  ///< [slot::count]
};

class CudaMatrix final : public Matrix {
public:
    explicit CudaMatrix(std::shared_ptr<std::byte> memory) : memory_(std::move(memory)) {}
    DeviceMatrix on_device() const { return {memory_.get(), dtype, out, in}; }

private:
    std::shared_ptr<std::byte> memory_;
};

class CudaVector final : public Vector {
public:
    explicit CudaVector(std::shared_ptr<std::byte> memory) : memory_(std::move(memory)) {}
    const float* data() const { return reinterpret_cast<const float*>(memory_.get()); }

private:
    std::shared_ptr<std::byte> memory_;
};

inline DeviceMatrix on_device(const Matrix& m) { return static_cast<const CudaMatrix&>(m).on_device(); }
inline const float* on_device(const Vector& v) { return static_cast<const CudaVector&>(v).data(); }

}  // namespace mor::cuda
