// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mor/types.hpp"

/// What the engine observes, as plain data. Everything on screen is drawn from these records and nothing else.
namespace mor {

inline constexpr float kNotEvaluated = std::numeric_limits<float>::quiet_NaN();

/// One router decision about one token at one recursion. Numbers that were never computed are NaN.
struct Decision {
    Outcome outcome = Outcome::NotOffered;
    float logit = kNotEvaluated;      ///< raw main router output z
    float aux_logit = kNotEvaluated;  ///< raw auxiliary router output, for models that have one
    float score = kNotEvaluated;      ///< what the rule compared, as a probability: sigmoid of the deciding logit (expert
                                      ///< choice), or the probability of this depth, bias included (token choice)
    float gate = kNotEvaluated;       ///< factor on the block's output; set for tokens taken by a gated model
    float margin = kNotEvaluated;     ///< distance of the deciding number from its rival (threshold, last or first one
                                      ///< beyond the cut, second-best depth), in the unit compared; >= 0 when taken
};

/// Bytes of one sequence's KV cache. Index 0: layers outside the recursions; index r + 1: recursion r.
struct KvUse {
    std::vector<std::int64_t> used;      ///< entries stored x bytes per entry, positions up to and including this token
    std::vector<std::int64_t> reserved;  ///< blocks held x bytes per block, as the allocator counts them
    std::int64_t vanilla = 0;            ///< computed: every token through all executed layers, K/V of all stored
};

struct Alternative {
    int token = 0;
    std::string label;  ///< readable name of the token
    float logprob = 0;  ///< natural logarithm
};

/// What the model would say if the token stopped after a recursion.
struct Exit {
    int recursion = 0;  ///< zero-based; the state after this recursion goes through the last layer, norm and head
    std::vector<Alternative> top;
};

/// One token that has been through the model, prompt tokens too.
struct TokenRecord {
    int request = 0;
    int position = 0;  ///< from 0, in the sequence
    int token = 0;
    std::string text;   ///< what becomes visible with this token: whole characters or nothing
    std::string label;  ///< readable name of the token, never empty
    bool prompt = false;
    int depth = 0;                     ///< recursions applied, 0..R; R for unrouted recursive models, 0 for vanilla
    std::vector<Decision> recursions;  ///< [R]; empty for vanilla and unrouted models
    KvUse kv;
    std::int64_t flops = 0;          ///< spent on this token: count_flops(), a pure function of outcomes
    std::int64_t flops_vanilla = 0;  ///< computed: the same token through all layers
    float logprob = kNotEvaluated;   ///< of this token given those before; decoded tokens, and prompt tokens on request
    std::vector<Alternative> top;    ///< what else could have stood here, best first (raw distribution)
    std::vector<Exit> exits;         ///< on request
    double time_ms = 0;              ///< since the request was submitted, when the token was known (decoded: chosen;
                                     ///< prompt: its chunk finished)
    Finish finish = Finish::None;    ///< set on the last token of a request
};

/// One row of a pass.
struct PassRow {
    int request = 0;
    int position = 0;
    int recursion = -1;  ///< -1 for layers outside the recursions
    Decision decision;   ///< NotOffered where nothing was routed
};

/// One segment of layers run over some rows: the engine's smallest visible action.
struct PassRecord {
    int segment = 0;            ///< of the first chunk in the pass
    std::vector<PassRow> rows;  ///< every row that was computed, in that order, and every row whose recursion was decided
                                ///< against, at the end of the one before
    int computed_rows = 0;      ///< rows the block was run for; rows that left cost nothing
    int waiting = -1;           ///< requests that had not begun when the pass did; -1: not recorded, as in older traces
    int running = -1;           ///< requests under way, those that sat this pass out too; -1 likewise
    double milliseconds = 0;
    std::int64_t kv_blocks_in_use = 0;  ///< of the pool, all sequences
    std::int64_t kv_blocks_total = 0;
};

}  // namespace mor
