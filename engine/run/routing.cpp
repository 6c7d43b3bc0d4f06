// SPDX-License-Identifier: Apache-2.0
#include "run/routing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "mor/error.hpp"

namespace mor {
namespace {

float sigmoid(float z) { return 1.0f / (1.0f + std::exp(-z)); }

/// Marks the k best candidates (ties to the lower position) and measures every margin against the nearest candidate
/// on the other side of the cut.
void select_top_k(std::span<const float> logits, int k, std::vector<Decision>& decisions) {
    const int n = static_cast<int>(logits.size());
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
    for (int i = 0; i < n; ++i) {
        Decision& d = decisions[order[i]];
        d.outcome = i < k ? Outcome::Take : Outcome::Leave;
        if (k < n) d.margin = logits[order[i]] - logits[order[i < k ? k : k - 1]];
    }
}

/// The logit that a probability stands for.
float cut_of(double probability) { return static_cast<float>(std::log(probability / (1.0 - probability))); }

void select_threshold(std::span<const float> deciding, double probability, std::vector<Decision>& decisions) {
    const float cut = cut_of(probability);
    for (std::size_t i = 0; i < deciding.size(); ++i) {
        decisions[i].margin = deciding[i] - cut;
        decisions[i].outcome = deciding[i] >= cut ? Outcome::Take : Outcome::Leave;
    }
}

}  // namespace

float gate_of(const MorConfig& config, float logit) {
    const auto alpha = static_cast<float>(config.alpha);
    switch (config.router_func) {
        case RouterFunction::Sigmoid:
            return alpha * sigmoid(logit);
        case RouterFunction::Tanh:
            return alpha * std::tanh(logit);
        default:
            return logit;
    }
}

int imposed_depth(const RoutingSettings& settings, int position) {
    if (const auto it = settings.forced_depth.find(position); it != settings.forced_depth.end()) return it->second;
    return settings.fixed_depth.value_or(-1);
}

bool uses_auxiliary(const MorConfig& config, const RoutingSettings& settings) {
    if (settings.head == RoutingHead::Model) return config.sampling == ExpertSampling::AuxRouter;
    return settings.head == RoutingHead::Auxiliary;
}

std::vector<Decision> decide_expert(const ExpertRule& rule, std::span<const int> positions, std::span<const float> logits,
                                    std::span<const float> aux, int topk_of) {
    std::vector<Decision> decisions(logits.size());
    const bool by_aux = topk_of == 0 && !aux.empty() && uses_auxiliary(rule.config, rule.settings);
    const auto deciding = by_aux ? aux : logits;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        decisions[i].logit = logits[i];
        if (!aux.empty()) decisions[i].aux_logit = aux[i];
        decisions[i].score = sigmoid(deciding[i]);
    }
    if (topk_of > 0) {
        const double capacity = rule.config.capacity.at(rule.recursion);
        const int k = std::min<int>(static_cast<int>(logits.size()), std::max(1, static_cast<int>(capacity * topk_of)));
        select_top_k(logits, k, decisions);
    } else {
        select_threshold(deciding, rule.settings.threshold, decisions);
    }
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        Decision& d = decisions[i];
        if (const int depth = imposed_depth(rule.settings, positions[i]); depth >= 0)
            d.outcome = rule.recursion < depth ? Outcome::Take : Outcome::Leave;
        if (d.outcome == Outcome::Take) d.gate = rule.config.gated ? gate_of(rule.config, d.logit) : 1.0f;
        if (d.outcome == Outcome::Leave && rule.keeps_all_kv) d.outcome = Outcome::KvOnly;
    }
    return decisions;
}

namespace {

/// alpha * softmax(logits) or alpha * sigmoid(logits)
std::vector<float> depth_probabilities(const MorConfig& config, std::span<const float> logits) {
    const auto alpha = static_cast<float>(config.alpha);
    std::vector<float> p(logits.size());
    if (config.router_func == RouterFunction::Sigmoid) {
        for (std::size_t r = 0; r < p.size(); ++r) p[r] = alpha * sigmoid(logits[r]);
        return p;
    }
    const float largest = *std::max_element(logits.begin(), logits.end());
    float sum = 0;
    for (std::size_t r = 0; r < p.size(); ++r) sum += p[r] = std::exp(logits[r] - largest);
    for (float& x : p) x = alpha * (x / sum);
    return p;
}

}  // namespace

float token_gate(const MorConfig& config, const std::vector<Decision>& decisions, int recursion) {
    if (!config.gated) return 1.0f;
    std::vector<float> logits;
    for (const Decision& d : decisions) logits.push_back(d.logit);
    return depth_probabilities(config, logits)[recursion];
}

std::vector<Decision> decide_token(const MorConfig& config, const RoutingSettings& settings, int position,
                                   std::span<const float> logits, std::span<const float> bias) {
    const int n = static_cast<int>(logits.size());
    const std::vector<float> probability = depth_probabilities(config, logits);
    std::vector<float> choice = probability;
    for (int r = 0; r < n && !bias.empty(); ++r) choice[r] += bias[r];
    int last = static_cast<int>(std::max_element(choice.begin(), choice.end()) - choice.begin());
    if (const int depth = imposed_depth(settings, position); depth > 0) last = depth - 1;

    std::vector<Decision> decisions(n);
    for (int r = 0; r < n; ++r) {
        Decision& d = decisions[r];
        d.outcome = r <= last ? Outcome::Take : r == last + 1 ? Outcome::Leave : Outcome::NotOffered;
        d.logit = logits[r];
        d.score = choice[r];
        float rival = -INFINITY;
        for (int o = 0; o < n; ++o)
            if (o != r) rival = std::max(rival, choice[o]);
        if (n > 1) d.margin = choice[r] - rival;
    }
    decisions[last].gate = config.gated ? probability[last] : 1.0f;
    return decisions;
}

void check_routing(const ModelConfig& config, const RoutingSettings& settings) {
    const MorConfig& m = config.mor;
    const bool imposes = settings.fixed_depth || !settings.forced_depth.empty();
    if (m.routing == Routing::None) {
        if (imposes) throw Error("a fixed or forced depth needs a model with routers; this one has none");
        return;
    }
    if (!(settings.threshold > 0.0 && settings.threshold < 1.0))
        throw Error("threshold: expected a probability between 0 and 1, got " + std::to_string(settings.threshold));
    if (settings.head == RoutingHead::Auxiliary && m.sampling != ExpertSampling::AuxRouter)
        throw Error("routing head: this model has no auxiliary router; use the main one");
    const int least = m.routing == Routing::TokenChoice ? 1 : 0;
    const auto check = [&](int depth) {
        if (depth < least || depth > m.num_recursion)
            throw Error("depth: expected " + std::to_string(least) + " to " + std::to_string(m.num_recursion) + ", got " +
                        std::to_string(depth));
    };
    if (settings.fixed_depth) check(*settings.fixed_depth);
    for (const auto& [position, depth] : settings.forced_depth) {
        if (position < 0) throw Error("forced depth: expected a position from 0, got " + std::to_string(position));
        check(depth);
    }
}

}  // namespace mor
