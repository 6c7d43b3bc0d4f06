// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "run/windows.hpp"

namespace mor {
namespace {

void require_expert_choice(const ModelConfig& config) {
    if (config.mor.routing == Routing::ExpertChoice) return;
    const char* kind = config.mor.routing == Routing::TokenChoice ? "a token-choice model, whose routing is causal already"
                                                                  : "a model without routers";
    throw Error(std::string("analyze: expected an expert-choice model, where the training-time and the causal decision "
                            "can differ, got ") +
                kind);
}

std::vector<FinishedToken> read_window(Scheduler& scheduler, std::span<const int> tokens, RoutingSettings routing,
                                       SelectionRule rule, const std::stop_token& stop) {
    routing.rule = rule;
    const int id = scheduler.submit({.prompt = {tokens.begin(), tokens.end()},
                                     .max_tokens = 0,
                                     .ignore_eos = true,
                                     .routing = std::move(routing),
                                     .alternatives = 0,
                                     .prompt_logprobs = true});
    std::vector<FinishedToken> finished;
    while (scheduler.running(id)) {
        if (stop.stop_requested()) throw Error("analyze: stopped before the end of the text");
        for (FinishedToken& t : scheduler.advance().tokens) finished.push_back(std::move(t));
    }
    scheduler.release(id);
    return finished;
}

RuleOutcome outcome_of(TokenRecord&& record) { return {record.depth, std::move(record.recursions), record.logprob}; }

bool offered(const Decision& d) { return d.outcome != Outcome::NotOffered; }
bool taken(const Decision& d) { return d.outcome == Outcome::Take; }

void count_recursion(const Decision& causal, const Decision& topk, float aux_cut, RecursionAgreement& sum) {
    const bool same = taken(causal) == taken(topk);
    const bool both = offered(causal) && offered(topk), either = offered(causal) || offered(topk);
    sum.offered_both += both;
    sum.agree_both += both && same;
    sum.offered_either += either;
    sum.agree_either += either && same;
    sum.taken_causal += taken(causal);
    sum.taken_topk += taken(topk);
    if (!offered(topk) || std::isnan(topk.aux_logit)) return;
    ++sum.aux_offered;
    sum.aux_correct += (topk.aux_logit >= aux_cut) == taken(topk);
}

/// Sums over all tokens, in float64 and in reading order.
void summarise(RuleComparison& c, int recursions, double threshold) {
    const auto aux_cut = static_cast<float>(std::log(threshold / (1.0 - threshold)));
    c.recursions.resize(recursions);
    c.confusion.assign(recursions + 1, std::vector<std::int64_t>(recursions + 1));
    for (const ComparedToken& t : c.tokens) {
        for (int r = 0; r < recursions; ++r)
            count_recursion(t.causal.recursions[r], t.topk.recursions[r], aux_cut, c.recursions[r]);
        ++c.confusion[t.causal.depth][t.topk.depth];
        c.differing += t.differs();
        c.mean_depth_causal += t.causal.depth;
        c.mean_depth_topk += t.topk.depth;
        if (t.position == 0) continue;
        ++c.predicted;
        c.nats_causal -= t.causal.logprob;
        c.nats_topk -= t.topk.logprob;
    }
    c.nats_causal /= static_cast<double>(c.predicted);
    c.nats_topk /= static_cast<double>(c.predicted);
    c.mean_depth_causal /= static_cast<double>(c.tokens.size());
    c.mean_depth_topk /= static_cast<double>(c.tokens.size());
}

}  // namespace

RuleComparison compare_rules(std::shared_ptr<const Model> model, std::span<const int> tokens,
                             const RoutingSettings& routing, const KvSettings& kv, std::stop_token stop,
                             const std::function<void(int, int)>& progress) {
    const ModelConfig& config = model->config();
    require_expert_choice(config);
    const auto windows = text_windows(tokens, config.llama.max_position_embeddings, "analyze");
    Scheduler scheduler(model, kv);
    RuleComparison result{.windows = static_cast<int>(windows.size()),
                          .has_auxiliary = config.mor.sampling == ExpertSampling::AuxRouter};
    for (int w = 0; w < result.windows; ++w) {
        auto causal = read_window(scheduler, windows[w], routing, SelectionRule::Threshold, stop);
        auto topk = read_window(scheduler, windows[w], routing, SelectionRule::TopK, stop);
        for (std::size_t i = 0; i < causal.size(); ++i) {
            ComparedToken t{.window = w, .position = causal[i].record.position, .token = causal[i].record.token};
            t.label = causal[i].record.label;
            t.causal = outcome_of(std::move(causal[i].record));
            t.topk = outcome_of(std::move(topk[i].record));
            result.tokens.push_back(std::move(t));
        }
        if (progress) progress(w + 1, result.windows);
    }
    summarise(result, config.mor.num_recursion, routing.threshold);
    return result;
}

}  // namespace mor
