// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/backend.hpp"

/// Forwards every operation and counts the rows that each product was asked for, so that tests can tell computed rows
/// from masked ones.
class CountingBackend : public mor::Backend {
public:
    explicit CountingBackend(std::shared_ptr<mor::Backend> inner) : inner_(std::move(inner)) {}

    struct Counts {
        long embedded = 0, q = 0, kv = 0, kv_written = 0, attended = 0, out = 0, ffn = 0, down = 0, routed = 0, heads = 0;
        long embed_calls = 0, head_calls = 0, pick_calls = 0;
        long entries_seen = 0;     ///< sum of visible entries over attended rows
        long router_products = 0;  ///< multiply-adds of all routers
    };
    Counts counts;
    long bytes_allocated = 0;

    void measure_operations(bool on) override { inner_->measure_operations(on); }
    std::vector<mor::OperationTime> take_operation_times() override { return inner_->take_operation_times(); }
    double memory_bandwidth() const override { return inner_->memory_bandwidth(); }
    std::string description() const override { return "counting " + inner_->description(); }
    std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
        bytes_allocated += static_cast<long>(bytes);
        return inner_->allocate(bytes);
    }
    void release_memory() override { inner_->release_memory(); }
    void download(const float* source, std::size_t count, float* host) override { inner_->download(source, count, host); }
    void upload(const void* host, std::size_t bytes, void* target) override { inner_->upload(host, bytes, target); }
    std::shared_ptr<const mor::Matrix> matrix(std::span<const mor::TensorView> blocks) override {
        return inner_->matrix(blocks);
    }
    std::shared_ptr<const mor::Vector> vector(std::span<const float> values) override { return inner_->vector(values); }

    void embed(const mor::Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) override {
        counts.embedded += static_cast<long>(ids.size());
        ++counts.embed_calls;
        inner_->embed(table, ids, rows, x);
    }
    void gather(const float* x, std::span<const int> rows, int width, float* y) override {
        inner_->gather(x, rows, width, y);
    }
    void combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) override {
        inner_->combine(y, rows, gates, width, x);
    }
    void attn_in(const mor::LayerWeights& w, const mor::LayerShape& s, const float* x, std::span<const mor::KvRow> kv,
                 int q_rows, int kv_begin, float* q) override {
        counts.q += q_rows;
        counts.kv += static_cast<long>(kv.size()) - kv_begin;
        for (const auto& row : kv) counts.kv_written += row.write >= 0;
        inner_->attn_in(w, s, x, kv, q_rows, kv_begin, q);
    }
    void attention(const mor::LayerShape& s, const float* q, std::span<const mor::KvRow> kv, float* out) override {
        counts.attended += static_cast<long>(kv.size());
        for (const auto& row : kv) counts.entries_seen += row.visible;
        inner_->attention(s, q, kv, out);
    }
    void linear_add(const mor::Matrix& w, const float* a, int n, float* x) override {
        (w.in == ffn_width ? counts.down : counts.out) += n;
        inner_->linear_add(w, a, n, x);
    }
    void ffn_in(const mor::LayerWeights& w, const mor::LayerShape& s, const float* x, int n, float* h) override {
        counts.ffn += n;
        inner_->ffn_in(w, s, x, n, h);
    }
    void route(std::span<const mor::RoutingPoint> points, const float* x) override {
        for (const mor::RoutingPoint& point : points) count_router(*point.router, static_cast<long>(point.rows.size()));
        inner_->route(points, x);
    }
    void head(const mor::Vector& norm, float eps, const mor::Matrix& w, const float* x, std::span<const int> rows,
              float* logits) override {
        counts.heads += static_cast<long>(rows.size());
        ++counts.head_calls;
        inner_->head(norm, eps, w, x, rows, logits);
    }
    std::vector<mor::Pick> pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted) override {
        ++counts.pick_calls;
        return inner_->pick(logits, n, vocab, k, wanted);
    }

    int ffn_width = 0;  ///< tells the two residual products apart

private:
    void count_router(const mor::RouterWeights& w, long rows) {
        const auto products = [](const mor::Matrix& m) { return long{m.out} * m.in; };
        counts.routed += rows;
        counts.router_products += rows * (products(*w.outer) + (w.inner ? products(*w.inner) : 0));
    }

    std::shared_ptr<mor::Backend> inner_;
};
