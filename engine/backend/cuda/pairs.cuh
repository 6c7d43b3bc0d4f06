// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cuda/context.hpp"

namespace mor::cuda {

inline constexpr int kPairThreads = 256;

/// Gives an Output (see few_rows.cuh) with two weight rows per unit the sums of many rows, y [n, ldy]: units [0, units) of
/// rows [blockIdx.y, n) with stride gridDim.y.
template <class Output>
__global__ void __launch_bounds__(kPairThreads)
    store_pairs_kernel(const float* y, int ldy, int units, int n, Output output) {
    const int unit = static_cast<int>(blockIdx.x) * kPairThreads + static_cast<int>(threadIdx.x);
    if (unit >= units) return;
    const int first = output.weight_row(unit, 0), second = output.weight_row(unit, 1);
    for (int row = static_cast<int>(blockIdx.y); row < n; row += static_cast<int>(gridDim.y)) {
        const float* const sums = y + static_cast<std::int64_t>(row) * ldy;
        output.store(output.place(unit, row), sums[first], sums[second]);
    }
}

template <class Output>
void store_pairs(Context& c, const float* y, int ldy, int units, int n, const Output& output) {
    constexpr int kMostRows = 65535;  // of a grid
    const dim3 grid(static_cast<unsigned>((units + kPairThreads - 1) / kPairThreads),
                    static_cast<unsigned>(std::min(n, kMostRows)));
    gpu::launch(store_pairs_kernel<Output>, grid, dim3(kPairThreads), 0, c.stream, y, ldy, units, n, output);
    check(cudaGetLastError(), "storing pairs of outputs");
}

}  // namespace mor::cuda
