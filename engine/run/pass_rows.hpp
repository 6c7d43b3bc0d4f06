// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "run/sequence.hpp"

namespace mor {

/// A row in a pass, with the chunk it belongs to.
struct PassItem {
    Chunk* chunk = nullptr;
    int index = 0;
    Row& row() const { return chunk->rows[index]; }
    const Segment& segment(const Plan& plan) const { return plan.segments[chunk->segment]; }
};

/// The rows that a pass computes, in an order in which each product is over one range: rows that only read K/V, rows that
/// do everything, and, behind them, rows that are there for their K/V alone.
class PassRows {
public:
    /// Of chunks whose segments have the same weights and whose live rows are decided about.
    PassRows(const Plan&, std::span<Chunk* const> chunks);

    bool empty() const { return items_.empty(); }
    int size() const { return static_cast<int>(items_.size()); }
    int complete() const { return size() - kv_only_; }  ///< rows [0, complete()) have an output that is read
    int kv_begin() const { return q_only_; }            ///< rows [kv_begin(), size()) store K/V

    const PassItem& operator[](int i) const { return items_[i]; }
    auto begin() const { return items_.begin(); }
    auto end() const { return items_.end(); }

    /// Layers and manner of combining are the same in all chunks.
    const Segment& segment() const { return items_.front().segment(plan_); }

    /// Gives every row its entry in the group that its segment writes.
    void join_groups() const;

    /// Where K/V of a layer of the segment are, and what each row sees of them. After join_groups().
    std::vector<KvRow> kv_rows(int layer) const;

private:
    int group(const PassItem& item, int layer) const {
        return plan_.kv_slots[item.segment(plan_).layers[layer].slot].group;
    }

    const Plan& plan_;
    std::vector<PassItem> items_;
    int q_only_ = 0, kv_only_ = 0;
};

}  // namespace mor
