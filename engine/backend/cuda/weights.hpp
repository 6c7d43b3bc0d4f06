// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "backend/backend.hpp"
#include "backend/cuda/context.hpp"

/// Weights in device memory.
namespace mor::cuda {

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
