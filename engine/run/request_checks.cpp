// SPDX-License-Identifier: Apache-2.0
#include "run/request_checks.hpp"

#include <string>

#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "run/routing.hpp"
#include "run/sampler.hpp"

namespace mor {

void check_request(const Model& model, const Request& r) {
    const LlamaConfig& c = model.config().llama;
    if (r.prompt.empty()) throw Error("prompt: expected at least one token, got none; type some text");
    if (static_cast<int>(r.prompt.size()) > c.max_position_embeddings)
        throw Error("prompt: expected at most " + std::to_string(c.max_position_embeddings) +
                    " tokens (the model's context), got " + std::to_string(r.prompt.size()));
    for (std::size_t i = 0; i < r.prompt.size(); ++i)
        if (r.prompt[i] < 0 || r.prompt[i] >= c.vocab_size)
            throw Error("prompt token " + std::to_string(i + 1) + ": expected an id from 0 to " +
                        std::to_string(c.vocab_size - 1) + ", got " + std::to_string(r.prompt[i]));
    if (r.max_tokens < 0) throw Error("max-tokens: expected 0 or more, got " + std::to_string(r.max_tokens));
    if (r.prefill_chunk < 0) throw Error("prefill chunk: expected 0 or more, got " + std::to_string(r.prefill_chunk));
    const bool top_k = r.routing.rule == SelectionRule::TopK && model.config().mor.routing == Routing::ExpertChoice;
    if (top_k && r.prefill_chunk > 0 && r.prefill_chunk < static_cast<int>(r.prompt.size()))
        throw Error("TopK selects among the whole prompt, so it cannot be read in chunks of " +
                    std::to_string(r.prefill_chunk) + "; leave the chunk size out or use the threshold rule");
    if (r.exits && !has_exits(model.config().mor))
        throw Error("exits need a state after each recursion, which " + std::string(name_of(model.config().mor.sharing)) +
                    " models do not have; ask for them on cycle or middle_cycle models");
    check_sampling(r.sampling);
    check_routing(model.config(), r.routing);
}

void check_kv(const KvSettings& s) {
    if (s.block_entries < 1 || s.block_entries > 4096)
        throw Error("KV block: expected 1 to 4096 entries, got " + std::to_string(s.block_entries));
    if (s.max_requests < 1) throw Error("max requests: expected at least 1, got " + std::to_string(s.max_requests));
    if (s.capacity_tokens < 0)
        throw Error("KV capacity: expected 0 or more tokens, got " + std::to_string(s.capacity_tokens));
}

}  // namespace mor
