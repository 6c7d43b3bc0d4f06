// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cmath>
#include <random>
#include <vector>

#include "cuda_emulation/cuda_emulation.hpp"

/// The stand-in for cuBLAS against its definition, element by element in double precision.
namespace {

constexpr float kGap = -77;  // what stands between the columns of c

float rounded(cudaDataType_t type, float value) {
    if (type == CUDA_R_16F) return __half2float(__float2half_rn(value));
    if (type == CUDA_R_16BF) return __bfloat162float(__float2bfloat16_rn(value));
    return value;
}

/// A stored matrix, columns `leading` elements apart, as floats and as the type's bytes in pinned memory.
struct Stored {
    cudaDataType_t type;
    int rows, columns, leading;
    std::vector<float> values;
    void* memory = nullptr;

    Stored(cudaDataType_t type_, int rows_, int columns_, int gap)
        : type(type_), rows(rows_), columns(columns_), leading(rows_ + gap), values(size(), kGap) {
        cudaMallocHost(&memory, size() * 4);
    }
    ~Stored() { cudaFreeHost(memory); }
    Stored(const Stored&) = delete;
    Stored& operator=(const Stored&) = delete;

    std::size_t size() const { return std::size_t(leading) * std::size_t(columns); }
    float& at(int i, int j) { return values[std::size_t(j) * std::size_t(leading) + std::size_t(i)]; }

    template <class Value>
    void fill(Value value) {
        for (int j = 0; j < columns; ++j) {
            for (int i = 0; i < rows; ++i) at(i, j) = rounded(type, value());
        }
        for (std::size_t i = 0; i < size(); ++i) {
            if (type == CUDA_R_32F) static_cast<float*>(memory)[i] = values[i];
            if (type == CUDA_R_16F) static_cast<__half*>(memory)[i] = __float2half_rn(values[i]);
            if (type == CUDA_R_16BF) static_cast<__nv_bfloat16*>(memory)[i] = __float2bfloat16_rn(values[i]);
        }
    }
    float stored(std::size_t i) const {
        if (type == CUDA_R_16F) return __half2float(static_cast<const __half*>(memory)[i]);
        if (type == CUDA_R_16BF) return __bfloat162float(static_cast<const __nv_bfloat16*>(memory)[i]);
        return static_cast<const float*>(memory)[i];
    }
};

}  // namespace

class CudaProductsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { cublasCreate(&blas_); }
    void cleanupTestCase() { cublasDestroy(blas_); }

    void product_data() {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("result");
        QTest::addColumn<int>("a_op");
        QTest::addColumn<int>("b_op");
        QTest::addColumn<float>("beta");
        const std::pair<cudaDataType_t, cudaDataType_t> types[] = {{CUDA_R_32F, CUDA_R_32F},
                                                                   {CUDA_R_16F, CUDA_R_32F},
                                                                   {CUDA_R_16F, CUDA_R_16F},
                                                                   {CUDA_R_16BF, CUDA_R_32F},
                                                                   {CUDA_R_16BF, CUDA_R_16BF}};
        for (const auto& [type, result] : types) {
            for (int ops = 0; ops < 4; ++ops) {
                for (const float beta : {0.0f, 1.0f, -0.5f}) {
                    QTest::addRow("types %d %d, transposed %d %d, beta %g", type, result, ops & 1, ops >> 1, double(beta))
                        << int(type) << int(result) << (ops & 1) << (ops >> 1) << beta;
                }
            }
        }
    }

    void product() {
        QFETCH(int, type);
        QFETCH(int, result);
        QFETCH(int, a_op);
        QFETCH(int, b_op);
        QFETCH(float, beta);
        constexpr int m = 13, n = 9, k = 301;
        const float alpha = 0.75f;
        std::mt19937 random(7);
        std::uniform_real_distribution<float> uniform(-1, 1);
        Stored a(cudaDataType_t(type), a_op ? k : m, a_op ? m : k, 3),
            b(cudaDataType_t(type), b_op ? n : k, b_op ? k : n, 0);
        Stored c(cudaDataType_t(result), m, n, 2);
        a.fill([&] { return uniform(random); });
        b.fill([&] { return uniform(random); });
        c.fill([&] { return beta == 0 ? NAN : uniform(random); });
        QCOMPARE(cublasGemmEx(blas_, a_op ? CUBLAS_OP_T : CUBLAS_OP_N, b_op ? CUBLAS_OP_T : CUBLAS_OP_N, m, n, k, &alpha,
                              a.memory, a.type, a.leading, b.memory, b.type, b.leading, &beta, c.memory, c.type, c.leading,
                              CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                 CUBLAS_STATUS_SUCCESS);
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        for (int j = 0; j < n; ++j) {
            for (int i = 0; i < c.leading; ++i) {
                const float found = c.stored(std::size_t(j * c.leading + i));
                if (i >= m) {
                    QCOMPARE(found, rounded(c.type, kGap));
                    continue;
                }
                double sum = 0;
                for (int p = 0; p < k; ++p)
                    sum += double(a_op ? a.at(p, i) : a.at(i, p)) * double(b_op ? b.at(j, p) : b.at(p, j));
                const double right = alpha * sum + (beta == 0 ? 0 : double(beta) * double(c.at(i, j)));
                const double unit = c.type == CUDA_R_32F ? 1e-5 : c.type == CUDA_R_16F ? 0x1p-11 : 0x1p-8;
                QVERIFY2(std::abs(found - right) <= unit * (1 + std::abs(right)),
                         qPrintable(QString("%1 %2").arg(found).arg(right)));
            }
        }
    }

    void refused() {
        const float one = 1;
        float* x = nullptr;
        cudaMallocHost(&x, 4096);
        const auto gemm = [&](cudaDataType_t a, cudaDataType_t c, cublasComputeType_t compute) {
            return cublasGemmEx(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, x, a, 2, x, a, 2, &one, x, c, 2, compute,
                                CUBLAS_GEMM_DEFAULT);
        };
        QCOMPARE(gemm(CUDA_R_32F, CUDA_R_16F, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
        QCOMPARE(gemm(CUDA_R_16F, CUDA_R_16BF, CUBLAS_COMPUTE_32F), CUBLAS_STATUS_NOT_SUPPORTED);
        QCOMPARE(gemm(CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_16F), CUBLAS_STATUS_NOT_SUPPORTED);
        QCOMPARE(cublasSgemm(nullptr, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, x, 1, x, 1, &one, x, 1),
                 CUBLAS_STATUS_NOT_INITIALIZED);
        cudaFreeHost(x);
    }

private:
    cublasHandle_t blas_ = nullptr;
};

QTEST_GUILESS_MAIN(CudaProductsTest)
#include "tst_cuda_products.moc"
