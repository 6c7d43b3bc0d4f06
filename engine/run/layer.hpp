// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "backend/backend.hpp"
#include "run/backend_buffer.hpp"

namespace mor {

/// Runs one transformer layer over some rows, on scratch memory of its own.
class LayerRunner {
public:
    LayerRunner(std::shared_ptr<Backend> backend, const LayerShape& shape)
        : backend_(backend), shape_(shape), q_(backend), attention_(backend), ffn_(std::move(backend)) {}

    /// y [n, H] is replaced by the layer's output for rows [0, full); rows [kv_begin, n) store their K and V, and rows
    /// from `full` on do nothing else.
    void run(const LayerWeights& w, std::span<const KvRow> kv, int full, int kv_begin, float* y) {
        const std::size_t n = kv.size(), width = std::size_t(shape_.heads) * shape_.head_dim;
        float* q = q_.room(n * width);
        backend_->attn_in(w, shape_, y, kv, full, kv_begin, q);
        if (full == 0) return;
        float* a = attention_.room(n * width);
        backend_->attention(shape_, q, kv.first(full), a);
        backend_->linear_add(*w.out, a, full, y);
        float* h = ffn_.room(n * shape_.ffn);
        backend_->ffn_in(w, shape_, y, full, h);
        backend_->linear_add(*w.down, h, full, y);
    }

    void release_memory() {
        for (BackendBuffer* s : {&q_, &attention_, &ffn_}) s->release();
    }

    const LayerShape& shape() const { return shape_; }

private:
    std::shared_ptr<Backend> backend_;
    LayerShape shape_;
    BackendBuffer q_, attention_, ffn_;
};

}  // namespace mor
