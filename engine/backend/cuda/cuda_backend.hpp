// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "backend/backend.hpp"
#include "backend/cuda/context.hpp"
#include "backend/cuda/kv_lists.hpp"
#include "backend/cuda/operation_timer.hpp"
#include "backend/cuda/transfer.hpp"
#include "backend/cuda/weights.hpp"

namespace mor::cuda {

/// cuBLAS bound to a stream, with memory of its own, so that it allocates nothing during a run.
class BlasHandle {
public:
    explicit BlasHandle(DeviceStream&);
    ~BlasHandle();
    BlasHandle(const BlasHandle&) = delete;
    BlasHandle& operator=(const BlasHandle&) = delete;
    cublasHandle_t get() const { return handle_; }

private:
    std::shared_ptr<std::byte> workspace_;
    cublasHandle_t handle_ = nullptr;
};

/// Row operations on one device. Each enqueues its work and returns; only route, pick and download wait. Calls from
/// several threads are safe and run one after the other.
class CudaBackend final : public Backend {
public:
    /// On the first device. Throws DeviceError.
    explicit CudaBackend(const DeviceSettings&);

    std::string description() const override;
    PassSize pass_size() const override;
    void measure_operations(bool on) override;
    std::vector<OperationTime> take_operation_times() override;
    double memory_bandwidth() const override { return stream_->device().memory_bandwidth; }
    std::shared_ptr<std::byte> allocate(std::size_t bytes) override;
    void release_memory() override;
    void download(const float* source, std::size_t count, float* host) override;
    void upload(const void* host, std::size_t bytes, void* target) override;
    std::shared_ptr<const Matrix> matrix(std::span<const TensorView> row_blocks) override;
    std::shared_ptr<const Vector> vector(std::span<const float> values) override;

    void embed(const Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) override;
    void gather(const float* x, std::span<const int> rows, int width, float* y) override;
    void combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) override;
    void attn_in(const LayerWeights&, const LayerShape&, const float* x, std::span<const KvRow> kv, int q_rows,
                 int kv_begin, float* q) override;
    void attention(const LayerShape&, const float* q, std::span<const KvRow> kv, float* out) override;
    void linear_add(const Matrix& w, const float* a, int n, float* x) override;
    void ffn_in(const LayerWeights&, const LayerShape&, const float* x, int n, float* h) override;
    void route(std::span<const RoutingPoint>, const float* x) override;
    void head(const Vector& norm, float eps, const Matrix& w, const float* x, std::span<const int> rows,
              float* logits) override;
    std::vector<Pick> pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted) override;

private:
    /// Held during an operation: one at a time, on this device.
    [[nodiscard]] std::unique_lock<std::mutex> enter();

    std::mutex mutex_;
    std::shared_ptr<DeviceStream> stream_;
    BlasHandle blas_;
    Workspace workspace_;
    StagingRing staging_;
    Readback readback_;
    KvLists kv_lists_;
    OperationTimer timer_;
    Context context_;
};

}  // namespace mor::cuda
