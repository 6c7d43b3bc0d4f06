// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/cpu/bf16_library.hpp"
#include "backend/cpu/kernels.hpp"
#include "backend/cpu/memory.hpp"
#include "backend/cpu/thread_pool.hpp"

namespace mor::cpu {

/// y (+)= x w[begin, end)^T: x is [n, w.in], row r of the result begins at y + r ldy.
struct Product {
    const float* x = nullptr;
    int n = 0;
    const CpuMatrix* w = nullptr;
    int begin = 0;
    int end = 0;
    float* y = nullptr;
    std::ptrdiff_t ldy = 0;
    bool add = false;
    const std::uint16_t* rounded = nullptr;  ///< x in bfloat16, for the library's products; null: x is used
};

/// Matrix products, cut into tiles of fixed size that the pool's threads share. A few rows are multiplied by our own
/// kernels, bound by reading the weights; more rows by oneDNN, one call per tile.
class Linear {
public:
    Linear(const Kernels&, ThreadPool&, DType compute);

    /// How much a pass may hold so that it takes some tens of milliseconds on two threads; whatever the number of threads,
    /// because how a prompt is cut into passes may change last bits. More rows of a pass read the weights less often.
    double pass_flops() const;

    /// Computes products that do not depend on each other.
    void run(std::span<const Product>);

    /// h = silu(gate) up with gate and up the halves of x w^T; x is [n, w.in], h is [n, w.out / 2].
    void swiglu(const float* x, int n, const CpuMatrix& w, float* h);

private:
    struct Worker {
        Scratch<float> weights;  ///< one tile's weights in float32
        Bf16Library bf16;
        Scratch<float> activations;  ///< one tile's gate and up
    };
    struct Tiling {
        int rows = 0;
        int outs = 0;
    };

    static Tiling tiling(int n, int outs);
    void tile(Worker&, const Product&, bool library);
    void round(Product&, std::size_t offset);
    bool rounds(const Product&) const;

    const Kernels& kernels_;
    ThreadPool& pool_;
    DType compute_;
    bool bf16_products_;  ///< in hardware; otherwise rounded activations are multiplied in float32
    std::vector<Worker> workers_;
    Scratch<float> rounded_;
};

}  // namespace mor::cpu
