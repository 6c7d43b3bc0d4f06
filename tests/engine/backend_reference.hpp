// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "backend/backend.hpp"
#include "tensor/half.hpp"

/// Row operations as plain loops in double precision, and the data to run them on.
namespace reference {

using mor::DType;
using Doubles = std::vector<double>;

inline std::vector<float> random_floats(std::mt19937& random, std::size_t count, float spread = 1) {
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> values(count);
    for (float& v : values) v = normal(random);
    return values;
}

/// Values as stored in a type: raw bytes, and what they mean.
struct Stored {
    DType dtype = DType::F32;
    std::vector<std::byte> bytes;
    Doubles values;

    Stored() = default;
    Stored(const std::vector<float>& source, DType type) : dtype(type), bytes(1 + source.size() * mor::bytes_of(type)) {
        for (std::size_t i = 0; i < source.size(); ++i) {
            float value = source[i];
            std::uint16_t bits = 0;
            if (type == DType::F16) value = mor::f16_to_f32(bits = mor::f32_to_f16(value));
            if (type == DType::BF16) value = mor::bf16_to_f32(bits = mor::f32_to_bf16(value));
            if (type == DType::F32) {
                std::memcpy(data() + 4 * i, &value, 4);
            } else {
                std::memcpy(data() + 2 * i, &bits, 2);
            }
            values.push_back(value);
        }
    }

    std::byte* data() { return bytes.data() + 1; }  ///< one byte off every alignment, as a mapped file may be
    const std::byte* data() const { return bytes.data() + 1; }
};

inline Doubles doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

/// y[r, o] = sum of x[r, k] w[o, k]
inline Doubles product(const Doubles& x, const Doubles& w, int n, int in, int out) {
    Doubles y(static_cast<std::size_t>(n) * out);
    for (int r = 0; r < n; ++r) {
        for (int o = 0; o < out; ++o) {
            double sum = 0;
            for (int k = 0; k < in; ++k)
                sum += x[static_cast<std::size_t>(r) * in + k] * w[static_cast<std::size_t>(o) * in + k];
            y[static_cast<std::size_t>(r) * out + o] = sum;
        }
    }
    return y;
}

inline Doubles rms_norm(const Doubles& x, const std::vector<float>& weight, double eps) {
    const std::size_t width = weight.size();
    Doubles y(x.size());
    for (std::size_t r = 0; r < x.size(); r += width) {
        double squares = 0;
        for (std::size_t k = 0; k < width; ++k) squares += x[r + k] * x[r + k];
        for (std::size_t k = 0; k < width; ++k)
            y[r + k] = x[r + k] / std::sqrt(squares / static_cast<double>(width) + eps) * weight[k];
    }
    return y;
}

/// One head, in place.
inline void rotate(double* head, int d, const float* cos, const float* sin) {
    for (int j = 0; j < d / 2; ++j) {
        const double a = head[j], b = head[d / 2 + j];
        head[j] = a * cos[j] - b * sin[j];
        head[d / 2 + j] = b * cos[j] + a * sin[j];
    }
}

/// One query over `visible` keys and values, each [visible, d].
inline Doubles attend(const double* q, const Doubles& k, const Doubles& v, int visible, int d) {
    Doubles scores(static_cast<std::size_t>(visible));
    double largest = -INFINITY, sum = 0;
    for (int e = 0; e < visible; ++e) {
        for (int j = 0; j < d; ++j)
            scores[static_cast<std::size_t>(e)] += q[j] * k[static_cast<std::size_t>(e) * d + j] / std::sqrt(d);
        largest = std::max(largest, scores[static_cast<std::size_t>(e)]);
    }
    Doubles out(static_cast<std::size_t>(d));
    for (int e = 0; e < visible; ++e) {
        const double p = std::exp(scores[static_cast<std::size_t>(e)] - largest);
        sum += p;
        for (int j = 0; j < d; ++j) out[static_cast<std::size_t>(j)] += p * v[static_cast<std::size_t>(e) * d + j];
    }
    for (double& o : out) o /= sum;
    return out;
}

inline double silu(double x) { return x / (1 + std::exp(-x)); }
inline double gelu(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }

/// Largest |a - b| relative to the largest |b|.
inline double error(const float* a, const Doubles& b) {
    double worst = 0, scale = 1e-30;
    for (std::size_t i = 0; i < b.size(); ++i) {
        if (!std::isfinite(a[i])) return INFINITY;
        worst = std::max(worst, std::abs(a[i] - b[i]));
        scale = std::max(scale, std::abs(b[i]));
    }
    return worst / scale;
}

}  // namespace reference
