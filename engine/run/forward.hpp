// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "model/parts.hpp"
#include "run/exits.hpp"
#include "run/kv_cache.hpp"
#include "run/layer.hpp"
#include "run/sequence.hpp"
#include "run/state_pool.hpp"

namespace mor {

/// The one forward pass: runs one segment for chunks whose segments have the same weights, whatever their sequence
/// and recursion. Prefill is a chunk of many rows, decode a chunk of one; nothing else differs.
class ForwardPass {
public:
    ForwardPass(const Model::Parts&, const Plan&, const KvGeometry&);

    /// Gives the chunk's rows their states: the embeddings of their tokens.
    void enter(Chunk&);

    /// Returns the states to the pool.
    void leave(Chunk&);

    /// Routes and runs the current segment of every chunk and moves them on; fills rows and computed_rows.
    void run(std::span<Chunk* const> chunks, PassRecord& record);

    bool done(const Chunk& c) const { return c.segment == static_cast<int>(plan_.segments.size()); }

    /// Logits [rows, V] of the states of some rows, in scratch memory that the next call reuses.
    const float* head(std::span<const int> state_rows);

    /// The same into memory of the caller's.
    void head(std::span<const int> state_rows, float* logits);

    /// Runs the states that the chunk's rows would have stopped with (Row::exits) to the end, for head(). Call when the
    /// chunk is done.
    void finish_exits(Chunk&);

    /// Gives back all memory that is not needed between passes; for when the backend has run out of it.
    void release_memory();

    /// Downloads one row of the state pool.
    std::vector<float> state(int row);

private:
    /// A row in the pass, with the chunk it belongs to.
    struct Item {
        Chunk* chunk;
        int row;
        Row& get() const { return chunk->rows[row]; }
        const Segment& segment(const Plan& p) const { return p.segments[chunk->segment]; }
    };

    std::vector<Chunk*> in_order(std::span<Chunk* const> chunks) const;
    void route(std::span<Chunk* const> chunks, PassRecord& record);
    bool knows_cuts(std::span<Chunk* const> chunks) const;
    void route_by_cuts(std::span<Chunk* const> chunks);
    void route_expert(std::span<Chunk* const> same_segment);
    void decide(Chunk&, std::span<const float> logits, std::span<const float> aux);
    void route_tokens(std::span<Chunk* const> same_segment);
    std::vector<Item> collect(std::span<Chunk* const> chunks);
    void join_groups(const std::vector<Item>& items);
    void run_layers(const std::vector<Item>& items);
    void combine(const std::vector<Item>& items);
    void observe(std::span<Chunk* const> chunks);
    void keep_exits(Chunk&);
    void move_on(Chunk&);
    std::vector<KvRow> kv_rows(const std::vector<Item>& items, int layer, int kv_begin) const;

    const Model::Parts& model_;
    const Plan& plan_;
    LayerShape shape_;
    StatePool states_;
    LayerRunner layers_;
    ExitPass exits_;
    Scratch y_, logits_;
    int q_only_ = 0;         ///< rows of the pass that store no K/V, at its front
    int kv_only_ = 0;        ///< rows of the pass that are there for their K/V alone, at its end
    bool gathered_ = false;  ///< the pass's rows stand in y_ already
};

}  // namespace mor
