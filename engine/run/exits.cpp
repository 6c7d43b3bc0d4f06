// SPDX-License-Identifier: Apache-2.0
#include "run/exits.hpp"

#include "run/routing.hpp"

namespace mor {

ExitPass::ExitPass(const ModelParts& model, const Plan& plan, LayerRunner& layers)
    : model_(model), plan_(plan), layers_(layers), y_(model.backend), blocks_(model.backend) {
    tail_ = static_cast<int>(plan.segments.size());
    while (tail_ > 0 && plan.segments[tail_ - 1].recursion < 0) --tail_;
}

/// Under token choice a row would stop with its entry state plus the block's output, times the gate of this depth.
void ExitPass::keep(Chunk& chunk, RowPool& states) {
    const Segment& segment = plan_.segments[chunk.segment];
    const MorConfig& config = model_.info.config.mor;
    const int hidden = layers_.shape().hidden;
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
    const auto kept = states.take(static_cast<int>(rows.size()));
    float* y = y_.room(rows.size() * hidden);
    model_.backend->gather(states.data(), from, hidden, y);
    model_.backend->combine(y, kept, {}, hidden, states.data());
    if (segment.combine == Combine::AddAtDepth) {
        model_.backend->gather(states.data(), outputs, hidden, y);
        model_.backend->combine(y, kept, gates, hidden, states.data());
    }
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i]->exits.push_back(kept[i]);
}

void ExitPass::finish(std::span<Chunk* const> done, RowPool& states) {
    std::vector<Exit> exits;
    std::vector<int> rows;
    for (const Chunk* c : done)
        for (const Row& r : c->rows)
            for (const int state : r.exits) {
                exits.push_back({c->sequence, r.position, state});
                rows.push_back(state);
            }
    if (exits.empty() || tail_ == static_cast<int>(plan_.segments.size())) return;
    const int n = static_cast<int>(exits.size()), hidden = layers_.shape().hidden;
    float* y = y_.room(std::size_t(n) * hidden);
    model_.backend->gather(states.data(), rows, hidden, y);
    for (std::size_t s = tail_; s < plan_.segments.size(); ++s)
        for (const PlanLayer& l : plan_.segments[s].layers)
            layers_.run(*model_.layers[l.executed], private_rows(exits, l.slot), n, 0, y);
    model_.backend->combine(y, rows, {}, hidden, states.data());
}

/// Block tables as the exits see them: the token's real ones, but for the block with its own entry, which is a copy.
std::vector<KvRow> ExitPass::private_rows(std::span<const Exit> exits, int slot) {
    const int group = plan_.kv_slots[slot].group, entries = layers_.shape().block_entries;
    const std::size_t block_floats =
        static_cast<std::size_t>(exits.front().sequence->kv.block_bytes(group)) / sizeof(float);
    float* copies = blocks_.room(exits.size() * block_floats);
    tables_.resize(exits.size());
    std::vector<KvRow> rows;
    for (std::size_t i = 0; i < exits.size(); ++i) {
        const KvSequence& kv = exits[i].sequence->kv;
        const int own = kv.ordinal(group, exits[i].position), block = own / entries;
        tables_[i].assign(kv.table(group), kv.table(group) + block + 1);
        float* copy = copies + i * block_floats;
        const int whole[] = {0};
        model_.backend->gather(reinterpret_cast<const float*>(tables_[i][block]), whole, static_cast<int>(block_floats),
                               copy);
        tables_[i][block] = reinterpret_cast<std::byte*>(copy);
        rows.push_back({tables_[i].data(), kv.offset(slot), exits[i].position, own + 1, own});
    }
    return rows;
}

}  // namespace mor
