// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/device.hpp"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/transfer.hpp"
#include "engine/backend_reference.hpp"

/// What tests of single operations need: a device with everything an operation works with, and memory on it.
namespace cuda_test {

using namespace mor;
using namespace mor::cuda;

/// Values on the device, `shift` of them behind a 256-byte boundary, with a guard behind them.
template <class T>
class DeviceArray {
public:
    DeviceArray() = default;
    DeviceArray(DeviceStream& stream, StagingRing& staging, std::span<const T> values, std::size_t shift)
        : memory_(stream.allocate((shift + values.size()) * sizeof(T) + kGuard)),
          begin_(reinterpret_cast<T*>(memory_.get()) + shift),
          size_(values.size()) {
        const std::vector<std::byte> guard(kGuard, std::byte{0xa5});
        if (size_ > 0) staging.upload(values.data(), values.size_bytes(), begin_);
        staging.upload(guard.data(), guard.size(), begin_ + size_);
    }
    T* data() const { return begin_; }

    /// Waits; what stands behind the values must be as it was.
    std::vector<T> values(Readback& readback, bool* intact) const {
        std::vector<std::byte> bytes(size_ * sizeof(T) + kGuard);
        readback.download(begin_, bytes.size(), bytes.data());
        for (std::size_t i = bytes.size() - kGuard; i < bytes.size(); ++i) *intact = *intact && bytes[i] == std::byte{0xa5};
        std::vector<T> values(size_);
        if (size_ > 0) std::memcpy(values.data(), bytes.data(), size_ * sizeof(T));
        return values;
    }

private:
    static constexpr std::size_t kGuard = 64;
    std::shared_ptr<std::byte> memory_;
    T* begin_ = nullptr;
    std::size_t size_ = 0;
};

/// One stream and what belongs to it.
class TestDevice {
public:
    TestDevice()
        : stream_(std::make_shared<DeviceStream>(choose_device())),
          workspace_(stream_),
          staging_(stream_),
          readback_(stream_) {
        check(cublasCreate(&blas_), "start cuBLAS");
        check(cublasSetStream(blas_, stream_->stream()), "bind cuBLAS to the stream");
    }
    ~TestDevice() { cublasDestroy(blas_); }
    TestDevice(const TestDevice&) = delete;
    TestDevice& operator=(const TestDevice&) = delete;

    Context context(DType compute = DType::F32) {
        return {stream_->stream(), blas_, stream_->device(), workspace_, compute};
    }
    const DeviceInfo& info() const { return stream_->device(); }

    template <class T>
    DeviceArray<T> put(const std::vector<T>& values, std::size_t shift = 0) {
        return {*stream_, staging_, values, shift};
    }
    template <class T>
    std::vector<T> get(const DeviceArray<T>& array) {
        return array.values(readback_, &intact_);
    }
    /// Whether no operation wrote behind an array that was read back.
    bool intact() const { return intact_; }

private:
    std::shared_ptr<DeviceStream> stream_;
    cublasHandle_t blas_ = nullptr;
    Workspace workspace_;
    StagingRing staging_;
    Readback readback_;
    bool intact_ = true;
};

/// Random weights in one type on both sides.
struct Weights {
    reference::Stored host;
    DeviceArray<std::byte> device;
    int out = 0, in = 0;

    Weights(TestDevice& d, std::mt19937& random, DType type, int out_, int in_)
        : host(reference::random_floats(random, static_cast<std::size_t>(out_) * in_,
                                        1 / std::sqrt(static_cast<float>(in_))),
               type),
          device(d.put(std::vector<std::byte>(host.data(), host.data() + host.bytes.size() - 1))),
          out(out_),
          in(in_) {}

    DeviceMatrix matrix() const { return {device.data(), host.dtype, out, in}; }
    TensorView view() const { return {host.dtype, {out, in}, host.data()}; }
};

}  // namespace cuda_test
