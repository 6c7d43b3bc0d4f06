// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "model/parts.hpp"
#include "run/exits.hpp"
#include "run/layer.hpp"
#include "run/pass_rows.hpp"
#include "run/row_pool.hpp"
#include "run/row_router.hpp"

namespace mor {

/// The one forward pass: runs one segment for chunks whose segments have the same weights, whatever their sequence
/// and recursion. Prefill is a chunk of many rows, decode a chunk of one; nothing else differs.
class ForwardPass {
public:
    ForwardPass(const ModelParts&, const Plan&, const KvGeometry&);

    /// Gives the rows of new chunks their states, the embeddings of their tokens, and decides about them where a router
    /// stands at the entrance. Takes no states when it throws.
    void enter(std::span<Chunk* const> chunks, PassRecord& record);

    /// Returns the states to the pool.
    void leave(Chunk&);

    /// Runs the current segment of every chunk, moves the chunks on and decides which of their rows go into the next one,
    /// so that whoever chooses the next pass knows who is left. Fills rows and computed_rows.
    void run(std::span<Chunk* const> chunks, PassRecord& record);

    bool done(const Chunk& c) const { return c.segment == static_cast<int>(plan_.segments.size()); }

    /// Logits [rows, V] of the states of some rows.
    void head(std::span<const int> state_rows, float* logits);

    /// Runs the states that the rows of chunks which are done would have stopped with (Row::exits) to the end, for head().
    void finish_exits(std::span<Chunk* const> done) { exits_.finish(done, states_); }

    /// Gives back all memory that is not needed between passes; for when the backend has run out of it.
    void release_memory();

    /// Downloads one row of the state pool.
    std::vector<float> state(int row) const { return states_.row(row); }

private:
    void embed(std::span<Chunk* const> chunks);
    void note(const PassRows&, PassRecord&) const;
    void gather(const PassRows&);
    void run_layers(const PassRows&);
    void combine(const PassRows&);
    void combine_at_depth(const PassRows&);
    void keep_asked_for(Chunk&);
    void move_on(Chunk&) const;
    void decide_next(std::span<Chunk* const> chunks, PassRecord& record);
    void join(Chunk&) const;

    const ModelParts& model_;
    const Plan& plan_;
    LayerShape shape_;
    RowPool states_;
    BackendBuffer y_;  ///< the pass's rows
    RowRouter router_;
    LayerRunner layers_;
    ExitPass exits_;
};

}  // namespace mor
