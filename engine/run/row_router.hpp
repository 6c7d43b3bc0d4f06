// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "model/parts.hpp"
#include "run/backend_buffer.hpp"
#include "run/row_pool.hpp"
#include "run/sequence.hpp"

namespace mor {

/// The routing points of the forward pass: the backend computes router outputs, routing.hpp decides which rows go on.
class RowRouter {
public:
    RowRouter(const ModelParts& model, const Plan& plan, RowPool& states)
        : model_(model), plan_(plan), states_(states), y_(model.backend) {}

    /// Decides about the live rows of those chunks that stand in front of a router, whatever their recursion: the backend
    /// is asked once and waited for once. Rows that leave here are live no longer, and are written down in `left`.
    void route(std::span<Chunk* const> chunks, std::vector<PassRow>& left);

    void release_memory() { y_.release(); }

private:
    /// Outputs for the live rows of some chunks, in their order.
    struct Scores {
        std::vector<float> main;  ///< [rows, outputs]
        std::vector<float> aux;   ///< [rows], or empty
    };

    Scores ask(std::span<Chunk* const> in_segment_order) const;
    void decide_expert_rows(Chunk&, std::span<const float> logits, std::span<const float> aux) const;
    void decide_token_rows(Chunk&, std::span<const float> logits) const;
    void begin_block_outputs(std::span<Chunk* const> chunks);
    void take_out(Chunk&, std::vector<PassRow>& left) const;

    const ModelParts& model_;
    const Plan& plan_;
    RowPool& states_;
    BackendBuffer y_;
};

}  // namespace mor
