// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_backend.hpp"

#include <algorithm>
#include <cstring>

#include "backend/cpu/memory.hpp"
#include "backend/cpu/pick.hpp"
#include "backend/cpu/router.hpp"

namespace mor::cpu {
namespace {

constexpr std::ptrdiff_t kRowsAtOnce = 8;  ///< per tile of cheap operations; fewer rows are not worth waking threads

std::size_t floats(std::ptrdiff_t rows, std::ptrdiff_t width) { return static_cast<std::size_t>(rows * width); }

}  // namespace

CpuBackend::CpuBackend(const Kernels& kernels, int threads, DType compute)
    : kernels_(kernels), pool_(threads), linear_(kernels, pool_, compute), attention_(kernels, pool_) {}

std::string CpuBackend::description() const {
    const int threads = pool_.threads();
    return std::string("CPU · ") + kernels_.name + " · " + std::to_string(threads) +
           (threads == 1 ? " thread" : " threads");
}

std::shared_ptr<std::byte> CpuBackend::allocate(std::size_t bytes) { return allocate_aligned(bytes); }

void CpuBackend::download(const float* source, std::size_t count, float* host) {
    if (count > 0) std::memcpy(host, source, count * sizeof(float));
}

void CpuBackend::upload(const void* host, std::size_t bytes, void* target) {
    if (bytes > 0) std::memcpy(target, host, bytes);
}

std::shared_ptr<const Matrix> CpuBackend::matrix(std::span<const TensorView> row_blocks) {
    return std::make_shared<const CpuMatrix>(row_blocks);
}

std::shared_ptr<const Vector> CpuBackend::vector(std::span<const float> values) {
    return std::make_shared<const CpuVector>(values);
}

/// Calls f(row) for every row in [0, n).
template <class Function>
void CpuBackend::for_rows(std::ptrdiff_t n, Function&& f) {
    pool_.parallel_for(static_cast<int>((n + kRowsAtOnce - 1) / kRowsAtOnce), [&](int tile, int) {
        const std::ptrdiff_t end = std::min((tile + 1) * kRowsAtOnce, n);
        for (std::ptrdiff_t i = tile * kRowsAtOnce; i < end; ++i) f(i);
    });
}

void CpuBackend::embed(const Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) {
    const std::lock_guard lock(mutex_);
    const CpuMatrix& m = cpu(table);
    for_rows(std::ssize(rows), [&](std::ptrdiff_t i) {
        kernels_.widen(m.row(ids[i]), m.dtype, m.in, x + static_cast<std::ptrdiff_t>(rows[i]) * m.in);
    });
}

void CpuBackend::gather(const float* x, std::span<const int> rows, int width, float* y) {
    const std::lock_guard lock(mutex_);
    for_rows(std::ssize(rows), [&](std::ptrdiff_t i) {
        std::memcpy(y + i * width, x + static_cast<std::ptrdiff_t>(rows[i]) * width, floats(1, width) * sizeof(float));
    });
}

void CpuBackend::combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) {
    const std::lock_guard lock(mutex_);
    for_rows(std::ssize(rows), [&](std::ptrdiff_t i) {
        float* const target = x + static_cast<std::ptrdiff_t>(rows[i]) * width;
        if (gates.empty()) {
            std::memcpy(target, y + i * width, floats(1, width) * sizeof(float));
        } else {
            kernels_.add_scaled(y + i * width, gates[i], width, target);
        }
    });
}

const float* CpuBackend::normed(const Vector& weight, float eps, const float* x, int n) {
    const std::ptrdiff_t width = weight.size;
    float* const y = normed_.get(floats(n, width));
    for_rows(n, [&](std::ptrdiff_t i) {
        kernels_.rms_norm(x + i * width, cpu(weight).data(), weight.size, eps, y + i * width);
    });
    return y;
}

/// kv holds one row's K and V, each [kv_heads, D].
void CpuBackend::rotate_and_store(const LayerShape& s, const KvRow& row, float* kv) {
    if (row.write < 0) return;
    const std::ptrdiff_t d = s.head_dim, entries = s.block_entries, element = bytes_of(s.kv_type);
    const std::ptrdiff_t angles = row.position * (d / 2);
    std::byte* const keys = row.blocks[row.write / entries] + row.offset;
    std::byte* const values = keys + s.kv_heads * entries * d * element;
    for (std::ptrdiff_t h = 0; h < s.kv_heads; ++h) {
        const std::ptrdiff_t at = (h * entries + row.write % entries) * d * element;
        kernels_.rotate(cpu(*s.rope_cos).data() + angles, cpu(*s.rope_sin).data() + angles, s.head_dim / 2, kv + h * d);
        kernels_.narrow(kv + h * d, s.kv_type, d, keys + at);
        kernels_.narrow(kv + (s.kv_heads + h) * d, s.kv_type, d, values + at);
    }
}

void CpuBackend::attn_in(const LayerWeights& weights, const LayerShape& s, const float* x, std::span<const KvRow> kv,
                         int q_rows, int kv_begin, float* q) {
    const std::lock_guard lock(mutex_);
    const int n = static_cast<int>(kv.size());
    const int q_width = s.heads * s.head_dim, kv_width = 2 * s.kv_heads * s.head_dim;
    const CpuMatrix& w = cpu(*weights.qkv);
    const float* const y = normed(*weights.attention_norm, s.norm_eps, x, n);
    float* const kv_out = kv_.get(floats(n - kv_begin, kv_width));
    const Product products[] = {
        {y, q_rows, &w, 0, q_width, q, q_width, false},
        {y + static_cast<std::ptrdiff_t>(kv_begin) * w.in, n - kv_begin, &w, q_width, q_width + kv_width, kv_out, kv_width,
         false},
    };
    linear_.run(products);
    for_rows(n, [&](std::ptrdiff_t i) {
        const std::ptrdiff_t angles = static_cast<std::ptrdiff_t>(kv[i].position) * (s.head_dim / 2);
        for (int h = 0; i < q_rows && h < s.heads; ++h) {
            kernels_.rotate(cpu(*s.rope_cos).data() + angles, cpu(*s.rope_sin).data() + angles, s.head_dim / 2,
                            q + i * q_width + h * s.head_dim);
        }
        if (i >= kv_begin) rotate_and_store(s, kv[i], kv_out + (i - kv_begin) * kv_width);
    });
}

void CpuBackend::attention(const LayerShape& shape, const float* q, std::span<const KvRow> kv, float* out) {
    const std::lock_guard lock(mutex_);
    attention_.run(shape, q, kv, out);
}

void CpuBackend::linear_add(const Matrix& w, const float* a, int n, float* x) {
    const std::lock_guard lock(mutex_);
    const Product product{a, n, &cpu(w), 0, w.out, x, w.out, true};
    linear_.run({&product, 1});
}

void CpuBackend::ffn_in(const LayerWeights& weights, const LayerShape& s, const float* x, int n, float* h) {
    const std::lock_guard lock(mutex_);
    linear_.swiglu(normed(*weights.ffn_norm, s.norm_eps, x, n), n, cpu(*weights.gate_up), h);
}

void CpuBackend::route(std::span<const RoutingPoint> points, const float* x) {
    const std::lock_guard lock(mutex_);
    for (const RoutingPoint& point : points) run_router(point, x);
}

void CpuBackend::run_router(const RoutingPoint& point, const float* x) {
    const RouterWeights& weights = *point.router;
    const std::span<const int> rows = point.rows;
    constexpr int kOuts = 64;  // per tile of the inner product
    const CpuMatrix& outer = cpu(*weights.outer);
    const CpuMatrix* const inner = weights.inner ? &cpu(*weights.inner) : nullptr;
    const std::ptrdiff_t n = std::ssize(rows), width = inner ? inner->in : outer.in, hidden = inner ? inner->out : 0;
    float* const scaled = routed_.get(floats(n, width + hidden));
    float* const inside = scaled + n * width;
    for_rows(n, [&](std::ptrdiff_t i) {
        router_scale(x + rows[i] * width, static_cast<int>(width), point.scale, scaled + i * width);
    });
    if (inner) {
        const int pieces = (inner->out + kOuts - 1) / kOuts;
        pool_.parallel_for(static_cast<int>(n) * pieces, [&](int tile, int) {
            const std::ptrdiff_t row = tile / pieces;
            const int begin = tile % pieces * kOuts, end = std::min(begin + kOuts, inner->out);
            router_product(scaled + row * width, *inner, begin, end, inside + row * hidden);
            router_gelu(inside + row * hidden + begin, end - begin);
        });
    }
    const float* const last = inner ? inside : scaled;
    for_rows(n, [&](std::ptrdiff_t i) {
        router_product(last + i * outer.in, outer, 0, outer.out, point.outputs + i * outer.out);
    });
}

void CpuBackend::head(const Vector& norm, float eps, const Matrix& w, const float* x, std::span<const int> rows,
                      float* logits) {
    const std::lock_guard lock(mutex_);
    const int n = static_cast<int>(rows.size());
    float* const y = normed_.get(floats(n, norm.size));
    for_rows(n, [&](std::ptrdiff_t i) {
        kernels_.rms_norm(x + static_cast<std::ptrdiff_t>(rows[i]) * norm.size, cpu(norm).data(), norm.size, eps,
                          y + i * norm.size);
    });
    const Product product{y, n, &cpu(w), 0, w.out, logits, w.out, false};
    linear_.run({&product, 1});
}

std::vector<Pick> CpuBackend::pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted) {
    const std::lock_guard lock(mutex_);
    auto picks = cpu::pick(kernels_, pool_, logits, n, vocab, k);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] >= 0) picks[i].wanted = logits[i * static_cast<std::size_t>(vocab) + wanted[i]];
    return picks;
}

}  // namespace mor::cpu
