// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/context.hpp"

/// Products of many rows: activations are prepared once, then cuBLAS multiplies.
///
/// Two roads. 16-bit activations and weights on tensor cores, where the context computes in bfloat16 and the weights are
/// bfloat16. Otherwise float32 by float32; 16-bit weights are widened first, a slab at a time.
namespace mor::cuda {

/// Whether our own kernels should compute this product: they read the weights once for eight rows, cuBLAS reads them once.
/// Where it would need them widened (16 bits read, 32 written and read again), reading them four times is cheaper still.
bool is_few_rows(const Context&, const DeviceMatrix& w, int n);

/// What the products of a matrix read: [n, in] in float32 or bfloat16.
struct Activations {
    const void* data = nullptr;
    DType dtype = DType::F32;
    int in = 0;
};

/// Row i is x[rows[i]] (rows null: x[i]) after RMSNorm (norm null: as it is), in the type that products with w want. May be
/// x itself; otherwise valid until the next operation.
Activations activations(Context&, const DeviceMatrix& w, const float* norm, float eps, const float* x, const int* rows,
                        int n);

/// y[i ldy + o] (+)= w[begin + o] a[first + i] for o < end - begin and i < n
void many_rows_product(Context&, const DeviceMatrix& w, int begin, int end, const Activations& a, int first, int n,
                       float* y, int ldy, bool add);

}  // namespace mor::cuda
