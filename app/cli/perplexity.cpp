// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "format.hpp"
#include "interrupt.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "setting_options.hpp"
#include "text_file.hpp"

namespace mor::cli {

namespace {

struct PerplexityOptions {
    std::filesystem::path model;
    std::optional<std::string> file;
    std::optional<std::vector<int>> tokens;
    RoutingSettings routing;
    DeviceSettings device;
    KvSettings kv;
    bool json = false;
};

bool read_options(Arguments arguments, PerplexityOptions& o) {
    OptionTable table("morscope-cli perplexity",
                      "Reads a text in disjoint windows of the context's length and measures the prediction.");
    add_model_argument(table, o.model);
    table.option("--text", "FILE", "the text, UTF-8; - reads standard input",
                 [&](const std::string& text) { o.file = text; });
    table.option("--tokens", "1,2,3", "token ids instead of a text",
                 [&](const std::string& text) { o.tokens = read_ids("--tokens", text); });
    table.flag("--json", "print one JSON object", o.json);
    add_routing_options(table, o.routing, o.kv);
    add_device_options(table, o.device, o.kv);
    if (!table.parse(arguments)) return false;
    require_one({o.file, o.tokens}, "--text");
    return true;
}

void show_progress(int done, int total) {
    std::cerr << "\rwindow " << done << " of " << total << (done == total ? "\r\033[K" : "") << std::flush;
}

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
    PerplexityOptions o;
    if (!read_options(arguments, o)) return 0;
    Input input{std::nullopt, o.tokens};
    if (o.file) input.text = read_text_file(*o.file);
    const Interrupt interrupt;
    const auto model = Model::load(o.model, o.device);
    const std::vector<int> tokens = tokens_of(*model, input);
    const bool terminal = isatty(STDERR_FILENO) != 0;
    const Perplexity result = perplexity(model, tokens, o.routing, o.kv, interrupt.token(),
                                         terminal ? std::function<void(int, int)>(show_progress) : nullptr);
    if (interrupt.requested()) throw Error("interrupted before the text was read to its end, so there is no result");
    std::cout << (o.json ? result_json(result) + "\n" : result_text(result));
    return 0;
}

}  // namespace mor::cli
