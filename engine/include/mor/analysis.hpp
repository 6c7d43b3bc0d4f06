// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "mor/model.hpp"
#include "mor/session.hpp"

namespace mor {

struct Perplexity {
    double nats_per_token = 0;
    double bits_per_byte = 0;  ///< over the bytes of the predicted tokens; NaN without a tokenizer
    double mean_depth = 0;     ///< over the tokens read
    std::int64_t tokens = 0;   ///< predicted tokens
};

/// Disjoint windows of C = context tokens, C - 1 predictions each; what is left at the end is dropped, a shorter
/// text is one window. Nothing is added in front. TopK selects within a window of C tokens.
/// progress(done, total) is called after every window, when given.
Perplexity perplexity(std::shared_ptr<const Model>, std::span<const int> tokens, const RoutingSettings& = {},
                      const KvSettings& = {}, std::stop_token = {}, const std::function<void(int, int)>& progress = {});

/// Runs `tokens` as one prompt and writes its tensors, named as tests/data/reference/README.md does, without the
/// prompt suffix, to a safetensors file (written beside it and renamed).
void dump(std::shared_ptr<const Model>, std::span<const int> tokens, const RoutingSettings&, const KvSettings&,
          const std::filesystem::path& out);

/// What one selection rule made of a token of a finished text.
struct RuleOutcome {
    int depth = 0;
    std::vector<Decision> recursions;  ///< [R]
    float logprob = kNotEvaluated;     ///< of this token given those before it in the window; NaN for the first
};

/// The causal and the training-time decision about one token, side by side.
struct ComparedToken {
    int window = 0;    ///< from 0
    int position = 0;  ///< from 0, in the window
    int token = 0;
    std::string label;
    RuleOutcome causal;  ///< Threshold
    RuleOutcome topk;    ///< the best capacity * T of the window, which looks ahead

    bool differs() const { return causal.depth != topk.depth; }
};

/// How far the two rules agree about one recursion. A token is offered to recursion r when it was taken in r - 1, and
/// a token that is not offered is not taken.
struct RecursionAgreement {
    std::int64_t offered_both = 0;    ///< tokens offered under both rules
    std::int64_t agree_both = 0;      ///< of those: taken by both, or left by both
    std::int64_t offered_either = 0;  ///< tokens offered under at least one rule
    std::int64_t agree_either = 0;    ///< of those: taken by both, or by neither
    std::int64_t taken_causal = 0, taken_topk = 0;
    std::int64_t aux_offered = 0;  ///< tokens offered under TopK whose auxiliary router was evaluated
    std::int64_t aux_correct = 0;  ///< of those: auxiliary router at or above the threshold iff TopK takes the token
};

/// What the training-time selection sees and causal inference cannot: the same text under both rules.
struct RuleComparison {
    int windows = 0;
    std::vector<ComparedToken> tokens;
    std::vector<RecursionAgreement> recursions;         ///< [R]
    std::vector<std::vector<std::int64_t>> confusion;   ///< [R + 1][R + 1] tokens by causal depth, then TopK depth
    std::int64_t differing = 0;                         ///< tokens whose depths differ
    std::int64_t predicted = 0;                         ///< tokens the losses are over
    double nats_causal = 0, nats_topk = 0;              ///< per predicted token
    double mean_depth_causal = 0, mean_depth_topk = 0;  ///< over all tokens
    bool has_auxiliary = false;                         ///< aux_* counts mean something
};

/// Reads a finished text twice, in the windows of perplexity(), under Threshold and under TopK. `routing.rule` is
/// ignored; threshold, head and imposed depths are in force in both runs as far as the rule reads them. Throws Error
/// for models that are not expert-choice. progress(done, total) is called after every window, when given.
RuleComparison compare_rules(std::shared_ptr<const Model>, std::span<const int> tokens, const RoutingSettings& = {},
                             const KvSettings& = {}, std::stop_token = {},
                             const std::function<void(int, int)>& progress = {});

/// Multiply-adds counted as two operations; norms are not counted. Pure functions of plan and outcomes.
struct FlopCount {
    std::int64_t spent = 0;
    std::int64_t vanilla = 0;
};

/// One token at `position` that saw `visible[r]` entries in each recursion it took (and position + 1 outside).
/// `decisions` is [R]; empty for unrouted models. `head` says whether logits were computed for it. `router_inner` is
/// the width of an MLP router's hidden layer, 0 for a linear one.
FlopCount count_flops(const ModelConfig&, KvPolicy, int position, const std::vector<Decision>& decisions,
                      const std::vector<int>& visible, bool head, int router_inner = 0);

}  // namespace mor
