// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_backend.hpp"

#include <algorithm>
#include <cstring>

#include "backend/cuda/device.hpp"
#include "backend/cuda/operations.hpp"
#include "mor/error.hpp"

namespace mor::cuda {
namespace {

/// What cuBLAS' manual recommends.
std::size_t blas_workspace(const DeviceInfo& d) { return std::size_t{d.major >= 9 ? 32u : 4u} << 20; }

std::string shape_of(const TensorView& t) {
    std::string text = "[";
    for (std::size_t i = 0; i < t.shape.size(); ++i) text += (i ? ", " : "") + std::to_string(t.shape[i]);
    return text + "]";
}

/// attention() needs no angles, so a shape may come without.
AttentionShape attention_shape(const LayerShape& s) {
    return {s.heads,
            s.kv_heads,
            s.head_dim,
            s.kv_type,
            s.block_entries,
            s.rope_cos ? on_device(*s.rope_cos) : nullptr,
            s.rope_sin ? on_device(*s.rope_sin) : nullptr};
}

int size_of(std::span<const int> rows) { return static_cast<int>(rows.size()); }

DeviceRouter on_device(const RouterWeights& w) {
    return {w.inner ? cuda::on_device(*w.inner) : DeviceMatrix{}, cuda::on_device(*w.outer)};
}

}  // namespace

BlasHandle::BlasHandle(DeviceStream& stream) : workspace_(stream.allocate(blas_workspace(stream.device()))) {
    check(cublasCreate(&handle_), "start cuBLAS");
    check(cublasSetStream(handle_, stream.stream()), "bind cuBLAS to the stream");
    check(cublasSetWorkspace(handle_, workspace_.get(), blas_workspace(stream.device())), "give cuBLAS its memory");
    // float32 stays float32 (no TF32), and sums of bfloat16 products are kept in float32.
    check(cublasSetMathMode(
              handle_, static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)),
          "set cuBLAS' arithmetic");
}

BlasHandle::~BlasHandle() { cublasDestroy(handle_); }

CudaBackend::CudaBackend(const DeviceSettings& settings)
    : stream_(std::make_shared<DeviceStream>(choose_device())),
      blas_(*stream_),
      workspace_(stream_),
      staging_(stream_),
      readback_(stream_),
      kv_lists_(stream_, staging_),
      timer_(stream_),
      context_{stream_->stream(), blas_.get(), stream_->device(), workspace_, settings.compute} {
    if (settings.compute == DType::F16) throw Error("compute: expected f32 or bf16, got f16");
}

std::unique_lock<std::mutex> CudaBackend::enter() {
    std::unique_lock lock(mutex_);
    stream_->enter();
    return lock;
}

std::string CudaBackend::description() const {
    return "CUDA · " + stream_->device().name + " · " + bytes_text(stream_->device().total_memory);
}

/// A fiftieth of a second at the device's best; few rows leave most of it idle, and many want much scratch memory.
Backend::PassSize CudaBackend::pass_size() const {
    constexpr double kSeconds = 0.02, kLeastFlops = 4e9;
    return {std::max(kLeastFlops, kSeconds * stream_->device().peak_flops), 64, 1024};
}

void CudaBackend::measure_operations(bool on) {
    const auto lock = enter();
    timer_.enable(on);
}

std::vector<OperationTime> CudaBackend::take_operation_times() {
    const auto lock = enter();
    return timer_.take();
}

// ------------------------------------------------------------------------------------------------ memory and weights

std::shared_ptr<std::byte> CudaBackend::allocate(std::size_t bytes) {
    const auto lock = enter();
    return stream_->allocate(bytes);
}

void CudaBackend::release_memory() {
    const auto lock = enter();
    workspace_.release();
}

void CudaBackend::download(const float* source, std::size_t count, float* host) {
    const auto lock = enter();
    readback_.download(source, count * sizeof(float), host);
}

void CudaBackend::upload(const void* host, std::size_t bytes, void* target) {
    const auto lock = enter();
    staging_.upload(host, bytes, target);
}

std::shared_ptr<const Matrix> CudaBackend::matrix(std::span<const TensorView> row_blocks) {
    const auto lock = enter();
    if (row_blocks.empty()) throw Error("matrix: expected at least one block of rows, got none");
    const TensorView& first = row_blocks.front();
    std::int64_t rows = 0, bytes = 0;
    for (const TensorView& block : row_blocks) {
        if (block.shape.size() != 2 || first.shape.size() != 2 || block.shape[1] != first.shape[1] ||
            block.dtype != first.dtype)
            throw Error("matrix: expected blocks of one type and width, got " + shape_of(block) + " beside " +
                        shape_of(first));
        rows += block.shape[0];
        bytes += block.bytes();
    }
    auto memory = stream_->allocate(static_cast<std::size_t>(bytes));
    std::byte* target = memory.get();
    for (const TensorView& block : row_blocks) {
        staging_.upload(block.data, static_cast<std::size_t>(block.bytes()), target);
        target += block.bytes();
    }
    auto matrix = std::make_shared<CudaMatrix>(std::move(memory));
    matrix->out = static_cast<int>(rows);
    matrix->in = static_cast<int>(first.shape[1]);
    matrix->dtype = first.dtype;
    return matrix;
}

std::shared_ptr<const Vector> CudaBackend::vector(std::span<const float> values) {
    const auto lock = enter();
    auto memory = stream_->allocate(values.size_bytes());
    staging_.upload(values.data(), values.size_bytes(), memory.get());
    auto vector = std::make_shared<CudaVector>(std::move(memory));
    vector->size = static_cast<int>(values.size());
    return vector;
}

// ------------------------------------------------------------------------------------------------ row operations

void CudaBackend::embed(const Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) {
    if (rows.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("embed");
    const int* const device_ids = staging_.put(ids);
    cuda::embed(context_, on_device(table), device_ids, staging_.put(rows), size_of(rows), x);
}

void CudaBackend::gather(const float* x, std::span<const int> rows, int width, float* y) {
    if (rows.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("gather");
    cuda::gather(context_, x, staging_.put(rows), size_of(rows), width, y);
}

void CudaBackend::combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) {
    if (rows.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("combine");
    const float* const device_gates = gates.empty() ? nullptr : staging_.put(gates);
    cuda::combine(context_, y, staging_.put(rows), device_gates, size_of(rows), width, x);
}

void CudaBackend::attn_in(const LayerWeights& w, const LayerShape& s, const float* x, std::span<const KvRow> kv, int q_rows,
                          int kv_begin, float* q) {
    if (kv.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("attn_in");
    cuda::attn_in(context_, attention_shape(s), on_device(*w.qkv), on_device(*w.attention_norm), s.norm_eps, x,
                  kv_lists_.send(kv, s.block_entries), q_rows, kv_begin, q);
}

void CudaBackend::attention(const LayerShape& s, const float* q, std::span<const KvRow> kv, float* out) {
    if (kv.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("attention");
    AttentionShape shape = attention_shape(s);
    cuda::attention(context_, shape, q, kv_lists_.send(kv, s.block_entries), out);
}

void CudaBackend::linear_add(const Matrix& w, const float* a, int n, float* x) {
    if (n == 0) return;
    const auto lock = enter();
    const auto timed = timer_.start("linear_add");
    cuda::linear_add(context_, on_device(w), a, n, x);
}

void CudaBackend::ffn_in(const LayerWeights& w, const LayerShape& s, const float* x, int n, float* h) {
    if (n == 0) return;
    const auto lock = enter();
    const auto timed = timer_.start("ffn_in");
    cuda::ffn_in(context_, on_device(*w.gate_up), on_device(*w.ffn_norm), s.norm_eps, x, n, h);
}

void CudaBackend::route(std::span<const RoutingPoint> points, const float* x) {
    const auto outputs_of = [](const RoutingPoint& p) {
        return p.rows.size() * static_cast<std::size_t>(p.router->outer->out);
    };
    std::size_t count = 0;
    for (const RoutingPoint& p : points) count += outputs_of(p);
    if (count == 0) return;
    const auto lock = enter();
    const auto timed = timer_.start("route");
    float* const outputs = workspace_.of<float>(slot::router_outputs, count);
    float* at = outputs;
    for (const RoutingPoint& p : points) {
        cuda::router(context_, on_device(*p.router), x, staging_.put(p.rows), size_of(p.rows), p.scale, at);
        at += outputs_of(p);
    }
    const auto* host = static_cast<const float*>(readback_.get(outputs, count * sizeof(float)));
    for (const RoutingPoint& p : points) {
        std::copy_n(host, outputs_of(p), p.outputs);
        host += outputs_of(p);
    }
}

void CudaBackend::head(const Vector& norm, float eps, const Matrix& w, const float* x, std::span<const int> rows,
                       float* logits) {
    if (rows.empty()) return;
    const auto lock = enter();
    const auto timed = timer_.start("head");
    cuda::linear(context_, on_device(w), on_device(norm), eps, x, staging_.put(rows), size_of(rows), logits);
}

std::vector<Pick> CudaBackend::pick(const float* logits, int n, int vocab, int k, std::span<const int> of) {
    std::vector<Pick> picks(static_cast<std::size_t>(n));
    if (n == 0) return picks;
    const auto lock = enter();
    const auto timed = timer_.start("pick");
    const int wanted = std::clamp(k, 0, vocab), kept = std::max(wanted, 1);
    // The picks, then the sums and the wanted logits in one piece, so that one copy brings them.
    const std::size_t best_bytes = static_cast<std::size_t>(n) * kept * sizeof(DevicePick);
    const std::size_t bytes = best_bytes + static_cast<std::size_t>(n) * (of.empty() ? 1 : 2) * sizeof(float);
    std::byte* const results = workspace_.of<std::byte>(slot::picked, bytes);
    cuda::pick(context_, logits, n, vocab, kept, of.empty() ? nullptr : staging_.put(of),
               {reinterpret_cast<DevicePick*>(results), reinterpret_cast<float*>(results + best_bytes),
                of.empty() ? nullptr : reinterpret_cast<float*>(results + best_bytes) + n});
    const auto* const host = static_cast<const std::byte*>(readback_.get(results, bytes));
    const auto* const best = reinterpret_cast<const DevicePick*>(host);
    const auto* const sums = reinterpret_cast<const float*>(host + best_bytes);
    for (int i = 0; i < n; ++i) {
        Pick& p = picks[static_cast<std::size_t>(i)];
        p.log_sum_exp = sums[i];
        if (!of.empty()) p.wanted = sums[n + i];
        for (int j = 0; j < wanted; ++j) {
            const DevicePick& d = best[static_cast<std::ptrdiff_t>(i) * kept + j];
            p.top.emplace_back(d.token, d.logit);
        }
    }
    return picks;
}

}  // namespace mor::cuda
