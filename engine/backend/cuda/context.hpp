// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/workspace.hpp"
#include "mor/types.hpp"

/// What every operation on the device works with. Everything is enqueued on one stream and nothing waits, but for the
/// operations whose result the host asked for: route, pick, download.
namespace mor::cuda {

struct Context {
    cudaStream_t stream = nullptr;
    cublasHandle_t blas = nullptr;  ///< bound to the stream, host pointer mode, TF32 off
    const DeviceInfo& device;
    Workspace& workspace;
    DType compute = DType::F32;  ///< F32, or BF16 activations for products of many rows
};

/// [out, in], row-major, on the device, 256-byte aligned.
struct DeviceMatrix {
    const void* data = nullptr;
    DType dtype = DType::F32;
    int out = 0;
    int in = 0;
};

}  // namespace mor::cuda
