// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/few_rows.cuh"
#include "backend/cuda/many_rows.hpp"
#include "backend/cuda/operations.hpp"

namespace mor::cuda {
namespace {

/// y[row, unit] (+)= sum
struct Linear {
    static constexpr int kWeightRows = 1;
    float* y;
    int out;
    bool add;

    struct Place {
        float* target;
        float before;
    };

    __device__ int weight_row(int unit, int) const { return unit; }
    __device__ Place place(int unit, int row) const {
        float* const target = y + static_cast<std::int64_t>(row) * out + unit;
        return {target, add ? *target : 0.0f};
    }
    __device__ void store(const Place& place, float sum, float) const { *place.target = place.before + sum; }
};

}  // namespace

void linear_add(Context& c, const DeviceMatrix& w, const float* a, int n, float* x) {
    if (n == 0) return;
    if (is_few_rows(c, w, n))
        return few_rows_product(c, w.dtype, {w.data, w.in, a, nullptr, n, nullptr, 0, w.out}, Linear{x, w.out, true});
    many_rows_product(c, w, 0, w.out, activations(c, w, nullptr, 0, a, nullptr, n), 0, n, x, w.out, true);
}

void linear(Context& c, const DeviceMatrix& w, const float* norm, float eps, const float* x, const int* rows, int n,
            float* y) {
    if (n == 0) return;
    if (is_few_rows(c, w, n))
        return few_rows_product(c, w.dtype, {w.data, w.in, x, rows, n, norm, eps, w.out}, Linear{y, w.out, false});
    many_rows_product(c, w, 0, w.out, activations(c, w, norm, eps, x, rows, n), 0, n, y, w.out, false);
}

}  // namespace mor::cuda
