// SPDX-License-Identifier: Apache-2.0
#include "run/token_maker.hpp"

#include <utility>

#include "mor/analysis.hpp"

namespace mor {

std::string TokenMaker::label(int token) const {
    if (!model_.tokenizer || token >= model_.tokenizer->size()) return "#" + std::to_string(token);
    return model_.tokenizer->label(token);
}

std::vector<Alternative> TokenMaker::alternatives(const Pick& pick, int most) const {
    std::vector<Alternative> result;
    for (const auto& [token, logit] : pick.top) {
        if (static_cast<int>(result.size()) >= most) break;
        result.push_back({token, label(token), logit - pick.log_sum_exp});
    }
    return result;
}

FinishedToken TokenMaker::make(Sequence& s, Row& r, bool head) const {
    const ModelConfig& config = model_.info.config;
    FinishedToken t;
    TokenRecord& record = t.record;
    record.request = s.id;
    record.position = r.position;
    record.token = r.token;
    record.label = label(r.token);
    if (s.text && r.token < model_.tokenizer->size()) record.text = s.text->push(r.token);
    record.prompt = r.position < static_cast<int>(s.request.prompt.size());
    record.depth = r.depth;
    record.kv = s.kv.use(r.position, config.mor.num_recursion, config.llama.num_hidden_layers);
    const FlopCount flops =
        count_flops(config, plan_.policy, r.position, r.decisions, r.visible, head, model_.router_inner);
    record.flops = flops.spent;
    record.flops_vanilla = flops.vanilla;
    record.time_ms = record.prompt ? s.elapsed_ms() : s.next_time_ms;
    record.recursions = std::move(r.decisions);
    t.hidden = std::move(r.hidden);
    return t;
}

}  // namespace mor
