// SPDX-License-Identifier: Apache-2.0
#include "run/exits.hpp"

namespace mor {

ExitPass::ExitPass(const Model::Parts& model, const Plan& plan, LayerRunner& layers)
    : model_(model), plan_(plan), layers_(layers), y_(model.backend), blocks_(model.backend) {
    tail_ = static_cast<int>(plan.segments.size());
    while (tail_ > 0 && plan.segments[tail_ - 1].recursion < 0) --tail_;
}

void ExitPass::run(std::span<const Exit> exits, float* states) {
    if (exits.empty() || tail_ == static_cast<int>(plan_.segments.size())) return;
    std::vector<int> rows;
    for (const Exit& e : exits) rows.push_back(e.state);
    const int n = static_cast<int>(exits.size()), hidden = layers_.shape().hidden;
    float* y = y_.floats(std::size_t(n) * hidden);
    model_.backend->gather(states, rows, hidden, y);
    for (std::size_t s = tail_; s < plan_.segments.size(); ++s)
        for (const PlanLayer& l : plan_.segments[s].layers)
            layers_.run(*model_.layers[l.executed], private_rows(exits, l.slot), n, 0, y);
    model_.backend->combine(y, rows, {}, hidden, states);
}

/// Block tables as the exits see them: the token's real ones, but for the block with its own entry, which is a copy.
std::vector<KvRow> ExitPass::private_rows(std::span<const Exit> exits, int slot) {
    const int group = plan_.kv_slots[slot].group, entries = layers_.shape().block_entries;
    const std::size_t block_floats =
        static_cast<std::size_t>(exits.front().sequence->kv.block_bytes(group)) / sizeof(float);
    float* copies = blocks_.floats(exits.size() * block_floats);
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
