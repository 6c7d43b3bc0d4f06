// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "run/windows.hpp"

namespace mor {
namespace {

/// Running sums over windows.
struct Sums {
    double nats = 0;
    std::int64_t predicted = 0, bytes = 0, read = 0, depth = 0;
};

void add_window(Scheduler& scheduler, const Request& window, const Tokenizer* tokenizer, std::stop_token stop, Sums& sums) {
    const int id = scheduler.submit(window);
    while (scheduler.running(id)) {
        if (stop.stop_requested()) throw Error("perplexity: stopped before the end of the text");
        for (const FinishedToken& t : scheduler.advance().tokens) {
            ++sums.read;
            sums.depth += t.record.depth;
            if (t.record.position == 0) continue;
            sums.nats -= t.record.logprob;
            ++sums.predicted;
            if (tokenizer) sums.bytes += static_cast<std::int64_t>(tokenizer->bytes(t.record.token, false).size());
        }
    }
    scheduler.release(id);
}

}  // namespace

Perplexity perplexity(std::shared_ptr<const Model> model, std::span<const int> tokens, const RoutingSettings& routing,
                      const KvSettings& kv, std::stop_token stop, const std::function<void(int, int)>& progress) {
    const auto windows = text_windows(tokens, model->config().llama.max_position_embeddings, "perplexity");
    const int count = static_cast<int>(windows.size());
    const auto tokenizer = model->tokenizer();

    Scheduler scheduler(model, kv);
    Sums sums;
    for (int w = 0; w < count; ++w) {
        const auto part = windows[w];
        const Request request{.prompt = {part.begin(), part.end()},
                              .max_tokens = 0,
                              .ignore_eos = true,
                              .routing = routing,
                              .alternatives = 0,
                              .prompt_logprobs = true};
        add_window(scheduler, request, tokenizer.get(), stop, sums);
        if (progress) progress(w + 1, count);
    }
    return {.nats_per_token = sums.nats / static_cast<double>(sums.predicted),
            .bits_per_byte = sums.bytes ? sums.nats / std::numbers::ln2 / static_cast<double>(sums.bytes) : std::nan(""),
            .mean_depth = static_cast<double>(sums.depth) / static_cast<double>(sums.read),
            .tokens = sums.predicted};
}

}  // namespace mor
