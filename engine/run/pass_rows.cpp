// SPDX-License-Identifier: Apache-2.0
#include "run/pass_rows.hpp"

#include <algorithm>

namespace mor {

PassRows::PassRows(const Plan& plan, std::span<Chunk* const> chunks) : plan_(plan) {
    std::vector<PassItem> full, kv_only;
    for (Chunk* c : chunks) {
        const Segment& segment = plan_.segments[c->segment];
        const bool writes = segment.layers.front().writes;  // the same for all layers of a segment
        for (const int i : c->live) {
            const Row& r = c->rows[i];
            if (segment.route != Route::Expert || r.decisions[segment.recursion].outcome == Outcome::Take)
                (writes ? full : items_).push_back({c, i});
            else if (r.decisions[segment.recursion].outcome == Outcome::KvOnly)
                kv_only.push_back({c, i});
        }
    }
    q_only_ = size();
    kv_only_ = static_cast<int>(kv_only.size());
    items_.insert(items_.end(), full.begin(), full.end());
    items_.insert(items_.end(), kv_only.begin(), kv_only.end());
}

/// Entries of a group are in ascending position, so the rows of a chunk join in that order.
void PassRows::join_groups() const {
    std::vector<PassItem> order = items_;
    std::stable_sort(order.begin(), order.end(),
                     [](const PassItem& a, const PassItem& b) { return a.row().position < b.row().position; });
    for (const PassItem& item : order) {
        if (!item.segment(plan_).layers.front().writes) continue;
        const int g = group(item, 0);
        Row& r = item.row();
        if (r.ordinal[g] < 0) r.ordinal[g] = item.chunk->sequence->kv.add(g, r.position);
    }
}

std::vector<KvRow> PassRows::kv_rows(int layer) const {
    std::vector<KvRow> rows(items_.size());
    for (int i = 0; i < size(); ++i) {
        const Row& r = items_[i].row();
        const int g = group(items_[i], layer), ordinal = r.ordinal[g];
        const KvSequence& kv = items_[i].chunk->sequence->kv;
        const int slot = items_[i].segment(plan_).layers[layer].slot;
        rows[i] = {kv.table(g), kv.offset(slot), r.position, ordinal + 1, i >= kv_begin() ? ordinal : -1};
    }
    return rows;
}

}  // namespace mor
