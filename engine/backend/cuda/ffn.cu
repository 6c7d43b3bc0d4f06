// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/few_rows.cuh"
#include "backend/cuda/many_rows.hpp"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/pairs.cuh"

namespace mor::cuda {
namespace {

/// h[row, unit] = silu(gate) * up
struct SwiGlu {
    static constexpr int kWeightRows = 2;
    float* h;
    int ffn;

    struct Place {
        float* target;
    };

    __device__ int weight_row(int unit, int i) const { return unit + i * ffn; }
    __device__ Place place(int unit, int row) const { return {h + static_cast<std::int64_t>(row) * ffn + unit}; }
    __device__ void store(const Place& place, float gate, float up) const {
        *place.target = gate / (1.0f + expf(-gate)) * up;
    }
};

}  // namespace

void ffn_in(Context& c, const DeviceMatrix& gate_up, const float* norm, float eps, const float* x, int n, float* h) {
    if (n == 0) return;
    const SwiGlu output{h, gate_up.out / 2};
    if (is_few_rows(c, gate_up, n)) {
        return few_rows_product(c, gate_up.dtype, {gate_up.data, gate_up.in, x, nullptr, n, norm, eps, output.ffn}, output);
    }
    const Activations a = activations(c, gate_up, norm, eps, x, nullptr, n);
    float* const y = c.workspace.of<float>(slot::projected, static_cast<std::size_t>(n) * gate_up.out);
    many_rows_product(c, gate_up, 0, gate_up.out, a, 0, n, y, gate_up.out, false);
    store_pairs(c, y, gate_up.out, output.ffn, n, output);
}

}  // namespace mor::cuda
