// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "backend/backend.hpp"

namespace mor::cpu {

inline constexpr std::size_t kAlignment = 64;  ///< a cache line, and the widest vector

/// Uninitialised memory aligned for the widest vectors; large pieces ask for huge pages.
std::shared_ptr<std::byte> allocate_aligned(std::size_t bytes);

/// Weights as stored: rows of `in` elements, one after the other.
class CpuMatrix final : public Matrix {
public:
    explicit CpuMatrix(std::span<const TensorView> row_blocks);
    const std::byte* row(std::ptrdiff_t o) const { return data_.get() + o * in * bytes_of(dtype); }

private:
    std::shared_ptr<std::byte> data_;
};

class CpuVector final : public Vector {
public:
    explicit CpuVector(std::span<const float> values);
    const float* data() const { return reinterpret_cast<const float*>(data_.get()); }

private:
    std::shared_ptr<std::byte> data_;
};

inline const CpuMatrix& cpu(const Matrix& m) { return static_cast<const CpuMatrix&>(m); }
inline const CpuVector& cpu(const Vector& v) { return static_cast<const CpuVector&>(v); }

/// Working memory that grows to the largest size asked for and is then kept.
template <class T>
class Scratch {
public:
    /// Room for `count` elements; what it held before is lost.
    T* get(std::size_t count) {
        if (count > size_) {
            data_ = nullptr;
            data_ = allocate_aligned(count * sizeof(T));
            size_ = count;
        }
        return data();
    }
    /// What the last get() returned, with everything written there since.
    T* data() { return reinterpret_cast<T*>(data_.get()); }

private:
    std::shared_ptr<std::byte> data_;
    std::size_t size_ = 0;
};

}  // namespace mor::cpu
