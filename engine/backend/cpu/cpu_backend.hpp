// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "backend/backend.hpp"
#include "backend/cpu/attention.hpp"
#include "backend/cpu/linear.hpp"
#include "backend/cpu/thread_pool.hpp"

namespace mor::cpu {

/// Row operations on the CPU. Each is cut into tiles of fixed size for a pool of threads, so the number of threads
/// never changes a bit of a result. Calls from several threads are safe and run one after the other.
class CpuBackend final : public Backend {
public:
    CpuBackend(const Kernels&, int threads, DType compute);

    std::string description() const override;
    PassSize pass_size() const override { return {.flops = linear_.pass_flops()}; }
    std::shared_ptr<std::byte> allocate(std::size_t bytes) override;
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
    template <class Function>
    void for_rows(std::ptrdiff_t n, Function&&);
    void rotate_and_store(const LayerShape&, const KvRow&, float* kv);
    void run_router(const RoutingPoint&, const float* x);
    const float* normed(const Vector& weight, float eps, const float* x, int n);

    std::mutex mutex_;
    const Kernels& kernels_;
    ThreadPool pool_;
    Linear linear_;
    Attention attention_;
    Scratch<float> normed_;
    Scratch<float> kv_;
    Scratch<float> routed_;
};

}  // namespace mor::cpu
