// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/cublas.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "cuda_emulation/blas_product.hpp"
#include "cuda_emulation/device.hpp"
#include "cuda_emulation/memory.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

namespace cuda_emulation {

struct BlasHandle {
    cudaStream_t stream = nullptr;
    cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
    Where where;
};

namespace {

std::string check_matrix(const char* name, const BlasMatrix& matrix) {
    if (matrix.leading < std::max(1, matrix.rows)) {
        return std::string("the leading dimension ") + std::to_string(matrix.leading) + " of " + name +
               " is less than its " + std::to_string(matrix.rows) + " rows";
    }
    if (std::uintptr_t(matrix.data) % matrix.element() != 0) return std::string(name) + " is not aligned to its elements";
    const std::string range = wrong_device_range(matrix.data, matrix.bytes());
    return range.empty() ? range : std::string(name) + " is " + range;
}

/// The compute types that the library has for these element types, as far as the backend may want them.
bool supported(const BlasMatrix& a, const BlasMatrix& b, const BlasMatrix& c, cublasComputeType_t compute) {
    if (a.type != b.type) return false;
    if (compute == CUBLAS_COMPUTE_16F) return false;
    if (a.type == CUDA_R_32F) return c.type == CUDA_R_32F;
    return c.type == a.type || c.type == CUDA_R_32F;
}

struct Scales {
    float alpha = 0, beta = 0;
};

cublasStatus_t product(cublasHandle_t handle, BlasMatrix a, BlasMatrix b, BlasMatrix c, const void* alpha, const void* beta,
                       Where where) {
    const Call call;
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    Stream* stream = checked(handle->stream);
    if (call.error() || !stream) return CUBLAS_STATUS_EXECUTION_FAILED;
    for (const auto& [name, matrix] : {std::pair{"a", &a}, std::pair{"b", &b}, std::pair{"c", &c}}) {
        const std::string wrong = check_matrix(name, *matrix);
        if (wrong.empty()) continue;
        fault("cuBLAS product at %s: %s", place(where).c_str(), wrong.c_str());
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    count([](Statistics& all) { ++all.products; });
    if (c.rows == 0 || c.columns == 0) return CUBLAS_STATUS_SUCCESS;
    const auto read = [alpha, beta] { return Scales{*static_cast<const float*>(alpha), *static_cast<const float*>(beta)}; };
    const bool now = handle->mode == CUBLAS_POINTER_MODE_HOST;
    const Scales known = now ? read() : Scales();
    enqueue(*stream, [=] {
        if (device_error()) return;
        const Scales scales = now ? known : read();
        multiply(a, b, c, scales.alpha, scales.beta);
    });
    return CUBLAS_STATUS_SUCCESS;
}

/// The stored matrix behind op(x), which is rows x columns.
BlasMatrix operand(const void* data, cudaDataType_t type, cublasOperation_t op, int rows, int columns, int leading) {
    if (op == CUBLAS_OP_N) return {data, type, rows, columns, leading, false};
    return {data, type, columns, rows, leading, true};
}

}  // namespace
}  // namespace cuda_emulation

using namespace cuda_emulation;

cublasStatus_t cublasCreate(cublasHandle_t* handle, Where where) {
    const Call call;
    if (settings().devices == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (call.error()) return CUBLAS_STATUS_EXECUTION_FAILED;
    *handle = new BlasHandle{nullptr, CUBLAS_POINTER_MODE_HOST, where};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
    *version = 130000;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    const Call call;
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (!checked(stream)) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t) {
    return handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    handle->mode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes) {
    const Call call;
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    return wrong_device_range(workspace, bytes).empty() ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t a_op, cublasOperation_t b_op, int m, int n, int k,
                           const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta,
                           float* c, int ldc, Where where) {
    return cublasGemmEx(handle, a_op, b_op, m, n, k, alpha, a, CUDA_R_32F, lda, b, CUDA_R_32F, ldb, beta, c, CUDA_R_32F,
                        ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT, where);
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t a_op, cublasOperation_t b_op, int m, int n, int k,
                            const void* alpha, const void* a, cudaDataType_t a_type, int lda, const void* b,
                            cudaDataType_t b_type, int ldb, const void* beta, void* c, cudaDataType_t c_type, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t, Where where) {
    if (m < 0 || n < 0 || k < 0 || !alpha || !beta) {
        fault("cuBLAS product at %s: sizes %d x %d x %d, or no alpha or beta", place(where).c_str(), m, n, k);
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    const BlasMatrix left = operand(a, a_type, a_op, m, k, lda), right = operand(b, b_type, b_op, k, n, ldb);
    const BlasMatrix sum{c, c_type, m, n, ldc, false};
    if (!supported(left, right, sum, compute)) return CUBLAS_STATUS_NOT_SUPPORTED;
    return product(handle, left, right, sum, alpha, beta, where);
}
