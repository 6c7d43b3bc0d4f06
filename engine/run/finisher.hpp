// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <span>
#include <vector>

#include "run/forward.hpp"
#include "run/head_reader.hpp"
#include "run/sequence.hpp"
#include "run/token_maker.hpp"

namespace mor {

/// What becomes of chunks that have been through the model: logits where somebody needs them, a record for each row, and
/// then the next token or the end of the request.
class Finisher {
public:
    Finisher(const ModelParts& model, const Plan& plan, ForwardPass& forward, RowPool& next_logits)
        : model_(model), forward_(forward), head_(model, forward, next_logits), maker_(model, plan) {}

    /// Takes the chunks from their sequences and appends their tokens to the events. When the backend fails on the way, no
    /// token of them counts as finished. Returns why a request could not go on, where only its next token could not be
    /// chosen: that request has ended.
    std::exception_ptr finish(std::span<Chunk* const> done, Events&);

    /// Appends a token to a sequence whose tokens have all been through the model.
    void choose_next(Sequence&) const;

    void release_memory() { head_.release_memory(); }

private:
    /// Answers, taken one by one in the order of ask().
    class Answers;

    void ask(const Chunk&, std::vector<HeadRow>& rows, std::vector<HeadRow>& exits) const;
    std::vector<FinishedToken> make_tokens(Chunk&, Answers& rows, Answers& exits) const;
    void decide_next(Sequence&, TokenRecord& newest) const;

    const ModelParts& model_;
    ForwardPass& forward_;
    HeadReader head_;
    TokenMaker maker_;
};

}  // namespace mor
