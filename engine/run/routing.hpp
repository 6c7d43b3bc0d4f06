// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "mor/config.hpp"
#include "mor/record.hpp"
#include "mor/settings.hpp"

/// The routers' rules as pure functions of their logits. Formulas: "Mixture-of-Recursions" (2025), sections on
/// expert-choice and token-choice routing; details as in tests/data/reference/README.md.
namespace mor {

/// gate = alpha * router_func(logit)
float gate_of(const MorConfig&, float logit);

/// What one expert-choice decision depends on beside the logits.
struct ExpertRule {
    const MorConfig& config;
    const RoutingSettings& settings;
    int recursion = 0;
    bool keeps_all_kv = false;  ///< tokens that leave still store K/V
};

/// One Decision per candidate, in the candidates' order (ascending positions).
/// aux: auxiliary router logits, or empty. topk_of: number of tokens of the whole prompt for the TopK rule, or 0 for
/// Threshold. Forced and fixed depths override the selection, never the gate.
std::vector<Decision> decide_expert(const ExpertRule&, std::span<const int> positions, std::span<const float> logits,
                                    std::span<const float> aux, int topk_of);

/// Token choice: logits [R] of one token -> decisions [R] of its whole way. bias [R] enters the choice only.
std::vector<Decision> decide_token(const MorConfig&, const RoutingSettings&, int position, std::span<const float> logits,
                                   std::span<const float> bias);

/// Token choice: the gate the token would get if it stopped after `recursion`; decisions as decide_token made them.
float token_gate(const MorConfig&, const std::vector<Decision>& decisions, int recursion);

/// The depth a forced or fixed setting asks for at `position`, or -1.
int imposed_depth(const RoutingSettings&, int position);

/// Whether the Threshold rule reads the auxiliary router.
bool uses_auxiliary(const MorConfig&, const RoutingSettings&);

/// Throws Error when the settings cannot be meant for this model (no such head, depth beyond R, bad threshold).
void check_routing(const ModelConfig&, const RoutingSettings&);

}  // namespace mor
