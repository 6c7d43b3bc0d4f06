// SPDX-License-Identifier: Apache-2.0
#include "run/forward.hpp"

#include <algorithm>
#include <tuple>

#include "run/routing.hpp"

namespace mor {

namespace {

LayerShape shape_of(const Model::Parts& model, const KvGeometry& geometry) {
    const LlamaConfig& c = model.info.config.llama;
    return {c.hidden_size,  c.num_attention_heads, c.num_key_value_heads, c.head_dim,    c.intermediate_size,
            c.rms_norm_eps, model.rope_cos.get(),  model.rope_sin.get(),  geometry.type, geometry.block_entries};
}

}  // namespace

ForwardPass::ForwardPass(const Model::Parts& model, const Plan& plan, const KvGeometry& geometry)
    : model_(model),
      plan_(plan),
      shape_(shape_of(model, geometry)),
      states_(model.backend, shape_.hidden),
      layers_(model.backend, shape_),
      exits_(model, plan, layers_),
      y_(model.backend),
      logits_(model.backend) {}

void ForwardPass::enter(Chunk& chunk) {
    const int n = static_cast<int>(chunk.rows.size());
    const bool keeps_y = model_.info.config.mor.routing == Routing::TokenChoice;
    const auto states = states_.take(keeps_y ? 2 * n : n);
    std::vector<int> ids(n);
    for (int i = 0; i < n; ++i) {
        chunk.rows[i].x = states[i];
        if (keeps_y) chunk.rows[i].y = states[n + i];
        ids[i] = chunk.rows[i].token;
    }
    model_.backend->embed(*model_.embedding, ids, {states.data(), static_cast<std::size_t>(n)}, states_.data());
}

void ForwardPass::leave(Chunk& chunk) {
    std::vector<int> states;
    for (const Row& r : chunk.rows) states.push_back(r.x);
    for (const Row& r : chunk.rows)
        if (r.y >= 0) states.push_back(r.y);
    for (Row& r : chunk.rows) {
        states.insert(states.end(), r.exits.begin(), r.exits.end());
        r.exits.clear();
    }
    states_.give(states);
}

void ForwardPass::run(std::span<Chunk* const> any_order, PassRecord& record) {
    const auto chunks = in_order(any_order);
    route(chunks, record);
    const auto items = collect(chunks);
    record.computed_rows = static_cast<int>(items.size());
    if (!items.empty()) {
        join_groups(items);
        run_layers(items);
        combine(items);
    }
    observe(chunks);
    for (Chunk* c : chunks) move_on(*c);
}

// ---------------------------------------------------------------------------------------------------- rows

/// Chunks of a segment side by side, those that only read K/V in front and those whose rows all store K/V behind: then the
/// rows taken are in collect()'s order as they come, and so are, behind them, those that only store K/V.
std::vector<Chunk*> ForwardPass::in_order(std::span<Chunk* const> chunks) const {
    std::vector<Chunk*> order(chunks.begin(), chunks.end());
    const auto key = [&](const Chunk* c) {
        const Segment& s = plan_.segments[c->segment];
        return std::tuple(s.layers.front().writes, s.keeps_all_kv, c->segment);
    };
    std::stable_sort(order.begin(), order.end(), [&](const Chunk* a, const Chunk* b) { return key(a) < key(b); });
    return order;
}

/// The rows to compute, ordered so that each product is over one range: rows that only read K/V, rows that do
/// everything, rows that are there for their K/V alone.
std::vector<ForwardPass::Item> ForwardPass::collect(std::span<Chunk* const> chunks) {
    std::vector<Item> q_only, full, kv_only;
    for (Chunk* c : chunks) {
        const Segment& segment = plan_.segments[c->segment];
        const bool writes = segment.layers.front().writes;  // the same for all layers of a segment
        for (const int i : c->live) {
            Row& r = c->rows[i];
            if (segment.route != Route::Expert || r.decisions[segment.recursion].outcome == Outcome::Take)
                (writes ? full : q_only).push_back({c, i});
            else if (r.decisions[segment.recursion].outcome == Outcome::KvOnly)
                kv_only.push_back({c, i});
        }
    }
    q_only_ = static_cast<int>(q_only.size());
    kv_only_ = static_cast<int>(kv_only.size());
    q_only.insert(q_only.end(), full.begin(), full.end());
    q_only.insert(q_only.end(), kv_only.begin(), kv_only.end());
    return q_only;
}

/// Gives every row its entry in the groups that its segment writes. Entries of a group are in ascending position, so
/// the rows of a chunk join in that order.
void ForwardPass::join_groups(const std::vector<Item>& items) {
    std::vector<Item> order = items;
    std::stable_sort(order.begin(), order.end(),
                     [](const Item& a, const Item& b) { return a.get().position < b.get().position; });
    for (const Item& item : order) {
        const Segment& segment = item.segment(plan_);
        if (!segment.layers.front().writes) continue;
        const int group = plan_.kv_slots[segment.layers.front().slot].group;
        Row& r = item.get();
        if (r.ordinal[group] < 0) r.ordinal[group] = item.chunk->sequence->kv.add(group, r.position);
    }
}

std::vector<KvRow> ForwardPass::kv_rows(const std::vector<Item>& items, int layer, int kv_begin) const {
    std::vector<KvRow> rows(items.size());
    for (int i = 0; i < static_cast<int>(items.size()); ++i) {
        const Row& r = items[i].get();
        const PlanLayer& l = items[i].segment(plan_).layers[layer];
        const int group = plan_.kv_slots[l.slot].group;
        const KvSequence& kv = items[i].chunk->sequence->kv;
        const int ordinal = r.ordinal[group];
        rows[i] = {kv.table(group), kv.offset(l.slot), r.position, ordinal + 1, i >= kv_begin ? ordinal : -1};
    }
    return rows;
}

// ---------------------------------------------------------------------------------------------------- layers

void ForwardPass::run_layers(const std::vector<Item>& items) {
    Backend& b = *model_.backend;
    const int n = static_cast<int>(items.size());
    const bool from_y = items.front().segment(plan_).combine == Combine::AddAtDepth;
    std::vector<int> states;
    for (const Item& i : items) states.push_back(from_y ? i.get().y : i.get().x);
    float* y = y_.floats(std::size_t(n) * shape_.hidden);
    if (!gathered_) b.gather(states_.data(), states, shape_.hidden, y);

    const auto& layers = items.front().segment(plan_).layers;  // equal weights in every chunk of the pass
    for (int l = 0; l < static_cast<int>(layers.size()); ++l) {
        const LayerWeights& w = *model_.layers[layers[l].executed];
        const bool last = l + 1 == static_cast<int>(layers.size());
        const int full = last ? n - kv_only_ : n;  // of K/V-only rows nothing is read after the last layer's K and V
        layers_.run(w, kv_rows(items, l, q_only_), full, q_only_, y);
    }
}

void ForwardPass::combine(const std::vector<Item>& items) {
    Backend& b = *model_.backend;
    const Combine how = items.front().segment(plan_).combine;
    const int n = static_cast<int>(items.size()) - kv_only_;
    std::vector<int> to(n);
    std::vector<float> gates;
    for (int i = 0; i < n; ++i) {
        const Segment& segment = items[i].segment(plan_);
        Row& r = items[i].get();
        to[i] = how == Combine::AddAtDepth ? r.y : r.x;
        if (how == Combine::AddGated) gates.push_back(r.decisions[segment.recursion].gate);
        if (segment.recursion >= 0) {
            r.depth = segment.recursion + 1;
            r.visible[segment.recursion] = r.ordinal[plan_.kv_slots[segment.layers.front().slot].group] + 1;
        }
    }
    float* y = y_.floats(0);
    if (n > 0) b.combine(y, to, gates, shape_.hidden, states_.data());
    if (how != Combine::AddAtDepth) return;

    std::vector<int> from;
    to.clear();
    for (int i = 0; i < n; ++i) {
        const Row& r = items[i].get();
        if (r.depth != r.target_depth) continue;
        from.push_back(r.y);
        to.push_back(r.x);
        gates.push_back(r.decisions[r.target_depth - 1].gate);
    }
    if (from.empty()) return;
    b.gather(states_.data(), from, shape_.hidden, y);
    b.combine(y, to, gates, shape_.hidden, states_.data());
}

// ---------------------------------------------------------------------------------------------------- moving on

void ForwardPass::observe(std::span<Chunk* const> chunks) {
    for (Chunk* c : chunks) {
        const Segment& segment = plan_.segments[c->segment];
        const bool last = c->segment + 1 == static_cast<int>(plan_.segments.size()) ||
                          plan_.segments[c->segment + 1].recursion != segment.recursion;
        if (segment.recursion < 0 || !last) continue;
        if (c->sequence->request.exits) keep_exits(*c);
        if (!c->sequence->request.keep_tensors) continue;
        const bool block_state = segment.combine == Combine::AddAtDepth;
        for (Row& r : c->rows)  // rows that left keep the state they left with
            r.hidden[segment.recursion] = state(block_state ? r.y : r.x);
    }
}

/// Copies the states with which the rows that took this recursion would stop now. Under token choice that is the
/// entry state plus the block's output, times the gate of this depth.
void ForwardPass::keep_exits(Chunk& chunk) {
    const Segment& segment = plan_.segments[chunk.segment];
    const MorConfig& config = model_.info.config.mor;
    std::vector<int> from, outputs;
    std::vector<float> gates;
    std::vector<Row*> rows;
    for (Row& r : chunk.rows) {
        if (r.depth != segment.recursion + 1) continue;
        rows.push_back(&r);
        // A row that has just reached its own depth has its output added already.
        const bool add = segment.combine == Combine::AddAtDepth && r.depth != r.target_depth;
        from.push_back(r.x);
        outputs.push_back(add ? r.y : r.x);
        gates.push_back(add ? token_gate(config, r.decisions, segment.recursion) : 0.0f);
    }
    if (rows.empty()) return;
    const auto kept = states_.take(static_cast<int>(rows.size()));
    float* y = y_.floats(rows.size() * shape_.hidden);
    model_.backend->gather(states_.data(), from, shape_.hidden, y);
    model_.backend->combine(y, kept, {}, shape_.hidden, states_.data());
    if (segment.combine == Combine::AddAtDepth) {
        model_.backend->gather(states_.data(), outputs, shape_.hidden, y);
        model_.backend->combine(y, kept, gates, shape_.hidden, states_.data());
    }
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i]->exits.push_back(kept[i]);
}

void ForwardPass::finish_exits(Chunk& chunk) {
    std::vector<ExitPass::Exit> exits;
    for (const Row& r : chunk.rows)
        for (const int state : r.exits) exits.push_back({chunk.sequence, r.position, state});
    exits_.run(exits, states_.data());
}

void ForwardPass::move_on(Chunk& chunk) {
    const Segment& segment = plan_.segments[chunk.segment];
    ++chunk.segment;
    if (segment.route == Route::None) return;
    std::erase_if(chunk.live, [&](int i) {
        const Row& r = chunk.rows[i];
        if (segment.combine == Combine::AddAtDepth) return r.target_depth <= segment.recursion + 1;
        return r.decisions[segment.recursion].outcome != Outcome::Take;
    });
    if (!chunk.live.empty() && chunk.segment != plan_.join) return;
    for (int i = segment.recursion + 1; chunk.sequence->request.keep_tensors && i < model_.info.config.mor.num_recursion;
         ++i)
        for (Row& r : chunk.rows) r.hidden[i] = r.hidden[segment.recursion];
    chunk.segment = plan_.join;
    chunk.live.resize(chunk.rows.size());
    for (int i = 0; i < static_cast<int>(chunk.rows.size()); ++i) chunk.live[i] = i;
}

// ---------------------------------------------------------------------------------------------------- ends

const float* ForwardPass::head(std::span<const int> state_rows) {
    float* logits = logits_.floats(state_rows.size() * model_.lm_head->out);
    head(state_rows, logits);
    return logits;
}

void ForwardPass::head(std::span<const int> state_rows, float* logits) {
    model_.backend->head(*model_.norm, shape_.norm_eps, *model_.lm_head, states_.data(), state_rows, logits);
}

void ForwardPass::release_memory() {
    layers_.release_memory();
    exits_.release_memory();
    y_.release();
    logits_.release();
    states_.release_unused();
    model_.backend->release_memory();
}

std::vector<float> ForwardPass::state(int row) {
    std::vector<float> x(shape_.hidden);
    model_.backend->download(states_.data() + std::size_t(row) * shape_.hidden, x.size(), x.data());
    return x;
}

}  // namespace mor
