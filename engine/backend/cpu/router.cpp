// SPDX-License-Identifier: Apache-2.0
// Compiled once, for the plainest machine and with -ffp-contract=off (see files.cmake): a router's decision must not
// change with the kernels in use.
#include "backend/cpu/router.hpp"

#include <algorithm>
#include <cmath>

#include "tensor/half.hpp"

namespace mor::cpu {
namespace {

constexpr int kPartialSums = 16;

float widened(float f) { return f; }
struct F16 {
    std::uint16_t bits;
};
struct BF16 {
    std::uint16_t bits;
};
float widened(F16 h) { return f16_to_f32(h.bits); }
float widened(BF16 h) { return bf16_to_f32(h.bits); }

template <class T>
float dot(const float* x, const T* w, int n) {
    float sums[kPartialSums] = {};
    int k = 0;
    for (; k + kPartialSums <= n; k += kPartialSums) {
        for (int i = 0; i < kPartialSums; ++i) sums[i] += x[k + i] * widened(w[k + i]);
    }
    for (int i = 0; k + i < n; ++i) sums[i] += x[k + i] * widened(w[k + i]);
    for (int width = kPartialSums / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
    }
    return sums[0];
}

template <class T>
void product_of(const float* x, const CpuMatrix& w, int begin, int end, float* y) {
    for (int o = begin; o < end; ++o) y[o] = dot(x, reinterpret_cast<const T*>(w.row(o)), w.in);
}

}  // namespace

void router_product(const float* x, const CpuMatrix& w, int begin, int end, float* y) {
    switch (w.dtype) {
        case DType::F32:
            return product_of<float>(x, w, begin, end, y);
        case DType::F16:
            return product_of<F16>(x, w, begin, end, y);
        case DType::BF16:
            return product_of<BF16>(x, w, begin, end, y);
    }
}

void router_scale(const float* x, int n, float scale, float* y) {
    for (int i = 0; i < n; ++i) y[i] = x[i] * scale;
}

void router_gelu(float* x, int n) {
    for (int i = 0; i < n; ++i) x[i] = 0.5f * x[i] * (1.0f + std::erf(x[i] * 0.70710678118654752f));
}

}  // namespace mor::cpu
