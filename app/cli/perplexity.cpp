// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "format.hpp"
#include "interrupt.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "windowed_text.hpp"

namespace mor::cli {

namespace {

constexpr const char* kExplanation =
    "Reads a text in disjoint windows of the context's length and measures the prediction.";

std::string result_json(const Perplexity& result) {
    return nlohmann::ordered_json{{"nats_per_token", result.nats_per_token},
                                  {"bits_per_byte", result.bits_per_byte},
                                  {"mean_depth", result.mean_depth},
                                  {"tokens", result.tokens}}
        .dump();
}

std::string result_text(const Perplexity& result) {
    return table_text({{"nats per token", fixed(result.nats_per_token, 4)},
                       {"bits per byte", fixed(result.bits_per_byte, 4)},
                       {"mean depth", fixed(result.mean_depth, 4)},
                       {"predicted tokens", grouped(result.tokens)}});
}

}  // namespace

int measure_perplexity(Arguments arguments) {
    WindowedText text;
    if (!read_windowed_text(arguments, "morscope-cli perplexity", kExplanation, text)) return 0;
    const Interrupt interrupt;
    const auto [model, tokens] = load(text);
    const Perplexity result = perplexity(model, tokens, text.routing, text.kv, interrupt.token(), window_progress());
    if (interrupt.requested()) throw Error("interrupted before the text was read to its end, so there is no result");
    std::cout << (text.json ? result_json(result) + "\n" : result_text(result));
    return 0;
}

}  // namespace mor::cli
