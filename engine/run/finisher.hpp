// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "run/forward.hpp"
#include "run/sequence.hpp"
#include "run/token_maker.hpp"

namespace mor {

/// What becomes of a chunk that has been through the model: logits where somebody needs them, a record for each row, and
/// then the next token or the end of the request.
class Finisher {
public:
    Finisher(const ModelParts& model, const Plan& plan, ForwardPass& forward)
        : model_(model), forward_(forward), maker_(model, plan) {}

    /// Takes the sequence's chunk; appends its tokens to the events.
    void finish(Sequence&, Events&);

    /// Appends a token to a sequence whose tokens have all been through the model.
    void choose_next(Sequence&) const;

private:
    /// Of those rows that need them: logits [n, V] in backend memory, and what the backend found in them.
    struct HeadRows {
        const float* logits = nullptr;
        std::vector<Pick> picks;
    };

    static bool needs_head(const Sequence&, const Row&);
    void read_head(Sequence&, std::vector<FinishedToken>&);
    HeadRows head_rows(Sequence&, std::span<const Row> rows, bool newest);
    void read_exits(Chunk&, std::vector<FinishedToken>&);
    void decide_next(Sequence&, TokenRecord& newest) const;

    const ModelParts& model_;
    ForwardPass& forward_;
    TokenMaker maker_;
};

}  // namespace mor
