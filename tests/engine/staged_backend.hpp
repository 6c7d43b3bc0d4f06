// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend/backend.hpp"

/// Lets a test call any backend with host memory: inputs are copied to the backend's memory before an operation, results
/// back after it. Behind everything that an operation writes lies a guard, and a changed guard is an error.
class StagedBackend final : public mor::Backend {
public:
    explicit StagedBackend(std::shared_ptr<mor::Backend> inner) : inner_(std::move(inner)) {}

    std::string description() const override { return inner_->description(); }
    std::shared_ptr<std::byte> allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
    void download(const float* source, std::size_t count, float* host) override { inner_->download(source, count, host); }
    void upload(const void* host, std::size_t bytes, void* target) override { inner_->upload(host, bytes, target); }
    std::shared_ptr<const mor::Matrix> matrix(std::span<const mor::TensorView> blocks) override {
        return inner_->matrix(blocks);
    }
    std::shared_ptr<const mor::Vector> vector(std::span<const float> values) override { return inner_->vector(values); }

    void embed(const mor::Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) override {
        Copy states(*inner_, x, rows_of(rows) * table.in);
        inner_->embed(table, ids, rows, states.floats());
        states.back();
    }
    void gather(const float* x, std::span<const int> rows, int width, float* y) override {
        Copy from(*inner_, x, rows_of(rows) * width), to(*inner_, y, rows.size() * width);
        inner_->gather(from.floats(), rows, width, to.floats());
        to.back();
    }
    void combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) override {
        Copy from(*inner_, y, rows.size() * width), to(*inner_, x, rows_of(rows) * width);
        inner_->combine(from.floats(), rows, gates, width, to.floats());
        to.back();
    }
    void attn_in(const mor::LayerWeights& w, const mor::LayerShape& s, const float* x, std::span<const mor::KvRow> kv,
                 int q_rows, int kv_begin, float* q) override {
        Copy states(*inner_, x, kv.size() * s.hidden);
        Copy queries(*inner_, q, static_cast<std::size_t>(q_rows) * s.heads * s.head_dim);
        Blocks blocks(*inner_, s, kv);
        inner_->attn_in(w, s, states.floats(), blocks.rows(), q_rows, kv_begin, queries.floats());
        queries.back();
        blocks.back();
    }
    void attention(const mor::LayerShape& s, const float* q, std::span<const mor::KvRow> kv, float* out) override {
        const std::size_t count = kv.size() * s.heads * s.head_dim;
        Copy queries(*inner_, q, count), results(*inner_, out, count);
        Blocks blocks(*inner_, s, kv);
        inner_->attention(s, queries.floats(), blocks.rows(), results.floats());
        results.back();
    }
    void linear_add(const mor::Matrix& w, const float* a, int n, float* x) override {
        Copy from(*inner_, a, static_cast<std::size_t>(n) * w.in), to(*inner_, x, static_cast<std::size_t>(n) * w.out);
        inner_->linear_add(w, from.floats(), n, to.floats());
        to.back();
    }
    void ffn_in(const mor::LayerWeights& w, const mor::LayerShape& s, const float* x, int n, float* h) override {
        Copy states(*inner_, x, static_cast<std::size_t>(n) * s.hidden),
            to(*inner_, h, static_cast<std::size_t>(n) * s.ffn);
        inner_->ffn_in(w, s, states.floats(), n, to.floats());
        to.back();
    }
    void route(std::span<const mor::RoutingPoint> points, const float* x) override {
        std::size_t rows = 0;
        for (const mor::RoutingPoint& p : points) rows = std::max(rows, rows_of(p.rows));
        if (points.empty()) return;
        const mor::RouterWeights& w = *points.front().router;
        Copy states(*inner_, x, rows * (w.inner ? w.inner->in : w.outer->in));
        inner_->route(points, states.floats());
    }
    void head(const mor::Vector& norm, float eps, const mor::Matrix& w, const float* x, std::span<const int> rows,
              float* logits) override {
        Copy states(*inner_, x, rows_of(rows) * norm.size), to(*inner_, logits, rows.size() * w.out);
        inner_->head(norm, eps, w, states.floats(), rows, to.floats());
        to.back();
    }
    std::vector<mor::Pick> pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted) override {
        Copy from(*inner_, logits, static_cast<std::size_t>(n) * vocab);
        return inner_->pick(from.floats(), n, vocab, k, wanted);
    }

private:
    static constexpr std::size_t kGuard = 256;  ///< bytes

    static std::size_t rows_of(std::span<const int> rows) {
        return rows.empty() ? 0 : static_cast<std::size_t>(*std::max_element(rows.begin(), rows.end())) + 1;
    }

    /// Host memory and its copy.
    class Copy {
    public:
        Copy(mor::Backend& backend, const void* host, std::size_t count, std::size_t element)
            : backend_(backend), host_(host), bytes_(count * element), memory_(backend.allocate(bytes_ + kGuard)) {
            backend.upload(host, bytes_, memory_.get());
            const std::vector<std::byte> guard(kGuard, kPattern);
            backend.upload(guard.data(), kGuard, memory_.get() + bytes_);
        }
        Copy(mor::Backend& backend, const float* host, std::size_t count) : Copy(backend, host, count, sizeof(float)) {}

        float* floats() { return reinterpret_cast<float*>(memory_.get()); }
        std::byte* bytes() { return memory_.get(); }

        /// Copies to the host; the operation was to write there.
        void back() {
            const std::size_t whole = (bytes_ + kGuard) / sizeof(float);
            std::vector<float> copy(whole);
            backend_.download(floats(), whole, copy.data());
            const auto* raw = reinterpret_cast<const std::byte*>(copy.data());
            for (std::size_t i = bytes_; i < whole * sizeof(float); ++i)
                if (raw[i] != kPattern) throw std::runtime_error("wrote behind the end of its result");
            if (bytes_ > 0) std::memcpy(const_cast<void*>(host_), raw, bytes_);
        }

    private:
        static constexpr std::byte kPattern{0xa5};
        mor::Backend& backend_;
        const void* host_;
        std::size_t bytes_;
        std::shared_ptr<std::byte> memory_;
    };

    /// Copies of the KV blocks that rows see or write, for one layer.
    class Blocks {
    public:
        Blocks(mor::Backend& backend, const mor::LayerShape& s, std::span<const mor::KvRow> kv)
            : rows_(kv.begin(), kv.end()) {
            const std::size_t layer =
                2 * static_cast<std::size_t>(s.kv_heads) * s.block_entries * s.head_dim * mor::bytes_of(s.kv_type);
            std::map<std::byte* const*, int> entries;
            for (const mor::KvRow& row : kv) {
                int& most = entries[row.blocks];
                most = std::max({most, row.visible, row.write + 1});
            }
            for (const auto& [table, most] : entries) {
                auto& copy = tables_[table];
                for (int b = 0; b * s.block_entries < most; ++b) {
                    copies_.emplace_back(backend, table[b], static_cast<std::size_t>(kv.front().offset) + layer, 1);
                    copy.push_back(copies_.back().bytes());
                }
            }
            for (mor::KvRow& row : rows_) row.blocks = tables_.at(row.blocks).data();
        }
        std::span<const mor::KvRow> rows() const { return rows_; }
        void back() {
            for (Copy& c : copies_) c.back();
        }

    private:
        std::vector<mor::KvRow> rows_;
        std::map<std::byte* const*, std::vector<std::byte*>> tables_;
        std::vector<Copy> copies_;
    };

    std::shared_ptr<mor::Backend> inner_;
};
