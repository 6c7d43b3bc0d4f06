// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda_emulation/cublas.hpp"

namespace cuda_emulation {

/// A column-major matrix of any of the three types: rows, columns and leading dimension as stored.
struct BlasMatrix {
    const void* data = nullptr;
    cudaDataType_t type = CUDA_R_32F;
    int rows = 0, columns = 0, leading = 0;
    bool transposed = false;

    std::size_t element() const { return type == CUDA_R_32F ? 4 : 2; }
    /// From the first element to behind the last, gaps between the columns included.
    std::size_t bytes() const {
        return rows && columns ? (std::size_t(leading) * std::size_t(columns - 1) + std::size_t(rows)) * element() : 0;
    }
};

/// c = alpha op(a) op(b) + beta c, accumulated in float32.
void multiply(const BlasMatrix& a, const BlasMatrix& b, const BlasMatrix& c, float alpha, float beta);

}  // namespace cuda_emulation
