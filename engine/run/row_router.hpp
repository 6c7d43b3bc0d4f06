// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "model/parts.hpp"
#include "run/backend_buffer.hpp"
#include "run/sequence.hpp"
#include "run/state_pool.hpp"

namespace mor {

/// The routing points of the forward pass: which live rows go on, decided by routing.hpp. Where each row can be decided
/// from its own score, the backend gathers them meanwhile; else this is router and decision, and the pass gathers.
class RowRouter {
public:
    /// `gathered` is where the rows that go on are gathered to.
    RowRouter(const ModelParts& model, const Plan& plan, StatePool& states, BackendBuffer& gathered)
        : model_(model), plan_(plan), states_(states), y_(gathered) {}

    /// Decides about the live rows of chunks whose segments have the same weights, those of a segment side by side. Returns
    /// whether the states that the pass computes stand in `gathered` already.
    bool route(std::span<Chunk* const> chunks);

    /// Writes down the live rows and what was decided about them.
    void note(std::span<Chunk* const> chunks, PassRecord& record) const;

private:
    bool knows_cuts(std::span<Chunk* const> chunks) const;
    void route_by_cuts(std::span<Chunk* const> chunks);
    void route_expert(std::span<Chunk* const> same_segment);
    void decide(Chunk&, std::span<const float> logits, std::span<const float> aux);
    void route_tokens(std::span<Chunk* const> same_segment);

    const ModelParts& model_;
    const Plan& plan_;
    StatePool& states_;
    BackendBuffer& y_;
};

}  // namespace mor
