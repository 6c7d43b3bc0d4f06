// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "model/parts.hpp"
#include "run/exits.hpp"
#include "run/layer.hpp"
#include "run/pass_rows.hpp"
#include "run/row_router.hpp"
#include "run/state_pool.hpp"

namespace mor {

/// The one forward pass: runs one segment for chunks whose segments have the same weights, whatever their sequence
/// and recursion. Prefill is a chunk of many rows, decode a chunk of one; nothing else differs.
class ForwardPass {
public:
    ForwardPass(const ModelParts&, const Plan&, const KvGeometry&);

    /// Gives the chunk's rows their states: the embeddings of their tokens. Takes none when it throws.
    void enter(Chunk&);

    /// Returns the states to the pool.
    void leave(Chunk&);

    /// Routes and runs the current segment of every chunk and moves them on; fills rows and computed_rows.
    void run(std::span<Chunk* const> chunks, PassRecord& record);

    bool done(const Chunk& c) const { return c.segment == static_cast<int>(plan_.segments.size()); }

    /// Logits [rows, V] of the states of some rows, in memory that the next call reuses.
    const float* head(std::span<const int> state_rows);

    /// The same into memory of the caller's.
    void head(std::span<const int> state_rows, float* logits);

    /// Runs the states that the chunk's rows would have stopped with (Row::exits) to the end, for head(). Call when the
    /// chunk is done.
    void finish_exits(Chunk& chunk) { exits_.finish(chunk, states_); }

    /// Gives back all memory that is not needed between passes; for when the backend has run out of it.
    void release_memory();

    /// Downloads one row of the state pool.
    std::vector<float> state(int row);

private:
    std::vector<Chunk*> in_order(std::span<Chunk* const> chunks) const;
    void gather(const PassRows&);
    void run_layers(const PassRows&);
    void combine(const PassRows&);
    void combine_at_depth(const PassRows&);
    void keep_asked_for(Chunk&);
    void move_on(Chunk&);

    const ModelParts& model_;
    const Plan& plan_;
    LayerShape shape_;
    StatePool states_;
    BackendBuffer y_, logits_;  ///< the pass's rows; their logits
    RowRouter router_;
    LayerRunner layers_;
    ExitPass exits_;
};

}  // namespace mor
