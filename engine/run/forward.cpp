// SPDX-License-Identifier: Apache-2.0
#include "run/forward.hpp"

#include <algorithm>
#include <numeric>

namespace mor {

namespace {

LayerShape shape_of(const ModelParts& model, const KvGeometry& geometry) {
    const LlamaConfig& c = model.info.config.llama;
    return {c.hidden_size,  c.num_attention_heads, c.num_key_value_heads, c.head_dim,    c.intermediate_size,
            c.rms_norm_eps, model.rope_cos.get(),  model.rope_sin.get(),  geometry.type, geometry.block_entries};
}

}  // namespace

ForwardPass::ForwardPass(const ModelParts& model, const Plan& plan, const KvGeometry& geometry)
    : model_(model),
      plan_(plan),
      shape_(shape_of(model, geometry)),
      states_(model.backend, shape_.hidden),
      y_(model.backend),
      router_(model, plan, states_),
      layers_(model.backend, shape_),
      exits_(model, plan, layers_) {}

void ForwardPass::run(std::span<Chunk* const> chunks, PassRecord& record) {
    const PassRows rows(plan_, chunks);
    note(rows, record);
    rows.join_groups();
    gather(rows);
    run_layers(rows);
    combine(rows);
    for (Chunk* c : chunks) {
        keep_asked_for(*c);
        move_on(*c);
    }
    decide_next(chunks, record);
}

void ForwardPass::enter(std::span<Chunk* const> chunks, PassRecord& record) {
    embed(chunks);
    try {
        decide_next(chunks, record);
    } catch (...) {
        for (Chunk* c : chunks) leave(*c);
        throw;
    }
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

// ---------------------------------------------------------------------------------------------------- the pass's steps

void ForwardPass::embed(std::span<Chunk* const> chunks) {
    const bool keeps_y = model_.info.config.mor.routing == Routing::TokenChoice;
    std::vector<int> ids;
    for (const Chunk* c : chunks)
        for (const Row& r : c->rows) ids.push_back(r.token);
    const std::size_t n = ids.size();
    const auto states = states_.take(static_cast<int>(keeps_y ? 2 * n : n));
    try {
        model_.backend->embed(*model_.embedding, ids, {states.data(), n}, states_.data());
    } catch (...) {
        states_.give(states);
        throw;
    }
    std::size_t i = 0;
    for (Chunk* c : chunks)
        for (Row& r : c->rows) {
            r.x = states[i];
            if (keeps_y) r.y = states[n + i];
            ++i;
        }
}

void ForwardPass::note(const PassRows& rows, PassRecord& record) const {
    record.computed_rows = rows.size();
    for (const PassItem& item : rows) {
        const Row& r = item.row();
        const int recursion = item.segment(plan_).recursion;
        record.rows.push_back({item.chunk->sequence->id, r.position, recursion,
                               r.decisions.empty() || recursion < 0 ? Decision{} : r.decisions[recursion]});
    }
}

void ForwardPass::gather(const PassRows& rows) {
    const bool from_y = rows.segment().combine == Combine::AddAtDepth;
    std::vector<int> states;
    for (const PassItem& i : rows) states.push_back(from_y ? i.row().y : i.row().x);
    float* y = y_.room(states.size() * shape_.hidden);
    model_.backend->gather(states_.data(), states, shape_.hidden, y);
}

void ForwardPass::run_layers(const PassRows& rows) {
    const auto& layers = rows.segment().layers;
    for (int l = 0; l < static_cast<int>(layers.size()); ++l) {
        const bool last = l + 1 == static_cast<int>(layers.size());
        const int full = last ? rows.complete() : rows.size();  // of K/V-only rows nothing is read behind the last K and V
        layers_.run(*model_.layers[layers[l].executed], rows.kv_rows(l), full, rows.kv_begin(), y_.data());
    }
}

void ForwardPass::combine(const PassRows& rows) {
    const Combine how = rows.segment().combine;
    const int n = rows.complete();
    std::vector<int> to(n);
    std::vector<float> gates;
    for (int i = 0; i < n; ++i) {
        const Segment& segment = rows[i].segment(plan_);
        Row& r = rows[i].row();
        to[i] = how == Combine::AddAtDepth ? r.y : r.x;
        if (how == Combine::AddGated) gates.push_back(r.decisions[segment.recursion].gate);
        if (segment.recursion >= 0) {
            r.depth = segment.recursion + 1;
            r.visible[segment.recursion] = r.ordinal[plan_.kv_slots[segment.layers.front().slot].group] + 1;
        }
    }
    if (n > 0) model_.backend->combine(y_.data(), to, gates, shape_.hidden, states_.data());
    if (how == Combine::AddAtDepth) combine_at_depth(rows);
}

/// Token choice: rows that have reached their depth add the block's output, times their gate, to the state at its entry.
void ForwardPass::combine_at_depth(const PassRows& rows) {
    std::vector<int> from, to;
    std::vector<float> gates;
    for (const PassItem& item : rows) {
        const Row& r = item.row();
        if (r.depth != r.target_depth) continue;
        from.push_back(r.y);
        to.push_back(r.x);
        gates.push_back(r.decisions[r.target_depth - 1].gate);
    }
    if (from.empty()) return;
    model_.backend->gather(states_.data(), from, shape_.hidden, y_.data());
    model_.backend->combine(y_.data(), to, gates, shape_.hidden, states_.data());
}

/// At the end of a recursion: the states that exits and kept tensors ask for.
void ForwardPass::keep_asked_for(Chunk& chunk) {
    const Segment& segment = plan_.segments[chunk.segment];
    const bool last = chunk.segment + 1 == static_cast<int>(plan_.segments.size()) ||
                      plan_.segments[chunk.segment + 1].recursion != segment.recursion;
    if (segment.recursion < 0 || !last) return;
    if (chunk.sequence->request.exits) exits_.keep(chunk, states_);
    if (!chunk.sequence->request.keep_tensors) return;
    const bool block_state = segment.combine == Combine::AddAtDepth;
    for (Row& r : chunk.rows)  // rows that left keep the state they left with
        r.hidden[segment.recursion] = state(block_state ? r.y : r.x);
}

/// Rows that have reached their depth, or were there for their K/V alone, go no further.
void ForwardPass::move_on(Chunk& chunk) const {
    const Segment& segment = plan_.segments[chunk.segment++];
    if (segment.route == Route::None) return;
    std::erase_if(chunk.live, [&](int i) {
        const Row& r = chunk.rows[i];
        if (segment.combine == Combine::AddAtDepth) return r.target_depth <= segment.recursion + 1;
        return r.decisions[segment.recursion].outcome != Outcome::Take;
    });
}

/// At the end of a segment, or at the entrance.
void ForwardPass::decide_next(std::span<Chunk* const> chunks, PassRecord& record) {
    router_.route(chunks, record.rows);
    for (Chunk* c : chunks)
        if (c->live.empty() || c->segment == plan_.join) join(*c);
}

/// All rows of the chunk are together again; recursions that nobody took are skipped.
void ForwardPass::join(Chunk& chunk) const {
    if (chunk.sequence->request.keep_tensors && chunk.segment != plan_.join) {
        const int recursion = plan_.segments[chunk.segment].recursion;
        for (Row& r : chunk.rows)  // all have left by now, with the state they have
            for (int i = recursion; i < model_.info.config.mor.num_recursion; ++i)
                r.hidden[i] = i > 0 ? r.hidden[i - 1] : state(r.x);
    }
    chunk.segment = plan_.join;
    chunk.live.resize(chunk.rows.size());
    std::iota(chunk.live.begin(), chunk.live.end(), 0);
}

// ---------------------------------------------------------------------------------------------------- ends

void ForwardPass::head(std::span<const int> state_rows, float* logits) {
    model_.backend->head(*model_.norm, shape_.norm_eps, *model_.lm_head, states_.data(), state_rows, logits);
}

void ForwardPass::release_memory() {
    router_.release_memory();
    layers_.release_memory();
    exits_.release_memory();
    y_.release();
    states_.release_unused();
    model_.backend->release_memory();
}

}  // namespace mor
