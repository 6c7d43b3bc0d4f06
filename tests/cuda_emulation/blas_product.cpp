// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/blas_product.hpp"

#include <algorithm>
#include <vector>

#include "cuda_emulation/half.hpp"
#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {
namespace {

constexpr int kDeep = 256;  // of the inner dimension, so that a panel of a and b stays in the cache
constexpr int kWide = 8;    // columns of c at a time

float load(const BlasMatrix& m, std::size_t at) {
    switch (m.type) {
        case CUDA_R_16F:
            return static_cast<const __half*>(m.data)[at];
        case CUDA_R_16BF:
            return static_cast<const __nv_bfloat16*>(m.data)[at];
        case CUDA_R_32F:
            break;
    }
    return static_cast<const float*>(m.data)[at];
}

void store(const BlasMatrix& m, std::size_t at, float value) {
    void* data = const_cast<void*>(m.data);
    switch (m.type) {
        case CUDA_R_16F:
            static_cast<__half*>(data)[at] = __half(value);
            return;
        case CUDA_R_16BF:
            static_cast<__nv_bfloat16*>(data)[at] = __nv_bfloat16(value);
            return;
        case CUDA_R_32F:
            static_cast<float*>(data)[at] = value;
            return;
    }
}

/// op(m) as float32, column-major and without gaps.
std::vector<float> widened(const BlasMatrix& m) {
    std::vector<float> dense(std::size_t(m.rows) * std::size_t(m.columns));
    for (int j = 0; j < m.columns; ++j) {
        const std::size_t column = std::size_t(m.leading) * std::size_t(j);
        see_read(static_cast<const char*>(m.data) + column * m.element(), std::size_t(m.rows) * m.element());
        for (int i = 0; i < m.rows; ++i) {
            const std::size_t to = m.transposed ? std::size_t(i) * std::size_t(m.columns) + std::size_t(j)
                                                : std::size_t(j) * std::size_t(m.rows) + std::size_t(i);
            dense[to] = load(m, column + std::size_t(i));
        }
    }
    return dense;
}

/// sum += a[:, from..to) b[from..to, :], all dense and column-major
void add_panel(const float* a, const float* b, float* sum, int m, int n, int k, int from, int to) {
    for (int j = 0; j < n; j += kWide) {
        for (int wide = j; wide < std::min(n, j + kWide); ++wide) {
            float* column = sum + std::size_t(wide) * std::size_t(m);
            for (int p = from; p < to; ++p) {
                const float factor = b[std::size_t(wide) * std::size_t(k) + std::size_t(p)];
                const float* source = a + std::size_t(p) * std::size_t(m);
                for (int i = 0; i < m; ++i) column[i] += source[i] * factor;
            }
        }
    }
}

}  // namespace

void multiply(const BlasMatrix& a, const BlasMatrix& b, const BlasMatrix& c, float alpha, float beta) {
    const Unseen unseen;
    const int m = c.rows, n = c.columns, k = a.transposed ? a.rows : a.columns;
    const std::vector<float> left = widened(a), right = widened(b);
    std::vector<float> sum(std::size_t(m) * std::size_t(n));
    for (int from = 0; from < k; from += kDeep) {
        add_panel(left.data(), right.data(), sum.data(), m, n, k, from, std::min(k, from + kDeep));
    }
    for (int j = 0; j < n; ++j) {
        const std::size_t column = std::size_t(c.leading) * std::size_t(j);
        see_written(static_cast<char*>(const_cast<void*>(c.data)) + column * c.element(), std::size_t(m) * c.element());
        for (int i = 0; i < m; ++i) {
            // c is not read when beta is zero: it may hold NaN.
            const float old = beta == 0.0f ? 0.0f : beta * load(c, column + std::size_t(i));
            store(c, column + std::size_t(i), alpha * sum[std::size_t(j) * std::size_t(m) + std::size_t(i)] + old);
        }
    }
}

}  // namespace cuda_emulation
