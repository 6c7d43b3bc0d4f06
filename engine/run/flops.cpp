// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "mor/analysis.hpp"

namespace mor {
namespace {

/// Operations of one layer, two per multiply-add.
struct LayerCost {
    explicit LayerCost(const LlamaConfig& c)
        : q(2LL * c.hidden_size * c.num_attention_heads * c.head_dim),
          kv(4LL * c.hidden_size * c.num_key_value_heads * c.head_dim),
          out(2LL * c.num_attention_heads * c.head_dim * c.hidden_size),
          ffn(6LL * c.hidden_size * c.intermediate_size),
          per_entry(4LL * c.num_attention_heads * c.head_dim) {}

    std::int64_t full(std::int64_t entries) const { return kv + without_kv(entries); }
    std::int64_t without_kv(std::int64_t entries) const { return q + out + ffn + per_entry * entries; }

    std::int64_t q, kv, out, ffn;
    std::int64_t per_entry;  ///< scores and values
};

std::int64_t router_cost(const LlamaConfig& c, int outputs, int inner) {
    return inner > 0 ? 2LL * inner * (c.hidden_size + outputs) : 2LL * c.hidden_size * outputs;
}

}  // namespace

FlopCount count_flops(const ModelConfig& config, KvPolicy policy, int position, const std::vector<Decision>& decisions,
                      const std::vector<int>& visible, bool head, int router_inner) {
    const LlamaConfig& c = config.llama;
    const MorConfig& m = config.mor;
    const LayerCost layer(c);
    const std::int64_t everyone = std::int64_t{position} + 1;
    const std::int64_t lm_head = 2LL * c.hidden_size * c.vocab_size;
    FlopCount count;
    count.vanilla = c.num_hidden_layers * layer.full(everyone) + (head ? lm_head : 0);
    count.spent = head ? lm_head : 0;
    if (m.sharing == Sharing::None) {
        count.spent += c.num_hidden_layers * layer.full(everyone);
        return count;
    }
    const bool middle = m.sharing == Sharing::MiddleCycle || m.sharing == Sharing::MiddleSequence;
    const int outside = middle ? 2 : 0;
    const int block = (c.num_hidden_layers - outside) / m.num_recursion;
    count.spent += outside * layer.full(everyone);

    if (m.routing == Routing::TokenChoice) count.spent += router_cost(c, m.num_recursion, router_inner);
    for (int r = 0; r < m.num_recursion; ++r) {
        const Outcome outcome = decisions.empty() ? Outcome::Take : decisions[r].outcome;
        if (m.routing == Routing::ExpertChoice && outcome != Outcome::NotOffered) {
            count.spent += router_cost(c, 1, router_inner);
            if (m.sampling == ExpertSampling::AuxRouter) count.spent += router_cost(c, 1, 0);  // always linear
        }
        const bool shares = policy == KvPolicy::RecursiveSharing && r > 0;
        if (outcome == Outcome::Take)
            count.spent += block * (shares ? layer.without_kv(visible[r]) : layer.full(visible[r]));
        else if (outcome == Outcome::KvOnly)  // the block for its K/V; in its last layer nothing but those
            count.spent += (block - 1) * layer.full(everyone) + layer.kv;
    }
    return count;
}

}  // namespace mor
