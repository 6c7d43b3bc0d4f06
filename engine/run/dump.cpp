// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

/// Collects named tensors and owns their numbers until they are written.
class TensorFile {
public:
    void add(std::string name, std::vector<std::int64_t> shape, std::vector<float> values) {
        floats_.push_back(std::move(values));
        tensors_.push_back({std::move(name), std::move(shape), floats_.back(), {}});
    }
    void add(std::string name, std::vector<std::int64_t> shape, std::vector<std::int32_t> values) {
        ints_.push_back(std::move(values));
        tensors_.push_back({std::move(name), std::move(shape), {}, ints_.back()});
    }
    void add(std::string name, std::vector<std::int32_t> values) {
        const auto n = static_cast<std::int64_t>(values.size());
        add(std::move(name), {n}, std::move(values));
    }
    void write(const std::filesystem::path& path) const { write_safetensors(path, tensors_); }

private:
    std::vector<OutputTensor> tensors_;
    std::vector<std::vector<float>> floats_;  // moving a vector into the list keeps its elements where they are
    std::vector<std::vector<std::int32_t>> ints_;
};

void add_routing(const std::vector<FinishedToken>& tokens, int recursions, bool auxiliary, TensorFile& file) {
    std::vector<float> router, aux, weight;
    std::vector<std::int32_t> active, depth;
    for (const FinishedToken& t : tokens) {
        depth.push_back(t.record.depth);
        for (const Decision& d : t.record.recursions) {
            router.push_back(d.logit);
            aux.push_back(d.aux_logit);
            weight.push_back(d.gate);
            active.push_back(d.outcome == Outcome::Take);
        }
    }
    const auto n = static_cast<std::int64_t>(tokens.size());
    file.add("router", {n, recursions}, std::move(router));
    file.add("weight", {n, recursions}, std::move(weight));
    if (auxiliary) file.add("aux_router", {n, recursions}, std::move(aux));
    file.add("active", {n, recursions}, std::move(active));
    file.add("depth", std::move(depth));
}

void add_kv(const KvReport& kv, int recursions, TensorFile& file) {
    file.add("kv.slot_recursion", kv.slot_recursion);
    file.add("kv.slot_tokens", kv.slot_tokens);
    if (recursions == 0) return;
    file.add("kv.rec_tokens", kv.recursion_tokens);
    std::vector<std::int32_t> bytes;
    for (int r = 0; r < recursions; ++r) bytes.push_back(static_cast<std::int32_t>(kv.use.used[r + 1]));
    file.add("kv.rec_bytes", std::move(bytes));
}

}  // namespace

void dump(std::shared_ptr<const Model> model, std::span<const int> tokens, const RoutingSettings& routing,
          const KvSettings& kv, const std::filesystem::path& out) {
    const ModelConfig& config = model->config();
    Session session(model, kv);
    const auto finished = session.prefill({.prompt = {tokens.begin(), tokens.end()},
                                           .max_tokens = 0,
                                           .routing = routing,
                                           .alternatives = 0,
                                           .keep_tensors = true});
    const auto n = static_cast<std::int64_t>(finished.size());
    TensorFile file;
    std::vector<float> logits, last;
    for (const FinishedToken& t : finished) {
        logits.insert(logits.end(), t.logits.begin(), t.logits.end());
        last.insert(last.end(), t.final_hidden.begin(), t.final_hidden.end());
    }
    file.add("logits", {n, config.llama.vocab_size}, std::move(logits));
    file.add("hidden.final", {n, config.llama.hidden_size}, std::move(last));
    const int recursions = config.mor.num_recursion;
    for (int r = 0; r < recursions; ++r) {
        std::vector<float> states;
        for (const FinishedToken& t : finished) states.insert(states.end(), t.hidden[r].begin(), t.hidden[r].end());
        if (!states.empty()) file.add("hidden.r" + std::to_string(r), {n, config.llama.hidden_size}, std::move(states));
    }
    if (config.mor.routing != Routing::None)
        add_routing(finished, recursions, config.mor.sampling == ExpertSampling::AuxRouter, file);
    add_kv(session.kv(), recursions, file);
    file.write(out);
}

}  // namespace mor
