// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "bundled_models.hpp"
#include "commands.hpp"
#include "compare_output.hpp"
#include "interrupt.hpp"
#include "mor/error.hpp"
#include "setting_options.hpp"

namespace mor::cli {

namespace {

constexpr int kMostTokens = 1 << 24;  ///< a bound on nonsense; the context ends a text long before

/// A model with its settings, or the trace of a run.
struct Side {
    std::string name;
    RoutingSettings routing;
    KvSettings kv;
    bool is_trace() const { return name.ends_with(".mortrace"); }
};

struct CompareOptions {
    Side a, b;
    Input input;
    Request request;
    DeviceSettings device;
    bool json = false;
    bool csv = false;
};

bool read_options(Arguments arguments, CompareOptions& o) {
    OptionTable table(
        "morscope-cli compare",
        "Lets A go on from a prompt and B read what A wrote, and puts both runs side by side: depths,\n"
        "probabilities, FLOPs and K/V of the same tokens. A and B may be the same model with other settings.\n"
        "What A wrote is what A expects; --max-tokens 0 compares on the prompt alone.");
    const std::string what = "a model directory, the name of a bundled model, or a .mortrace file";
    table.argument("A", what, [&](const std::string& text) { o.a.name = text; });
    table.argument("B", what, [&](const std::string& text) { o.b.name = text; });
    table.option("--prompt", "TEXT", "the text to go on from", [&](const std::string& text) { o.input.text = text; });
    table.option("--tokens", "1,2,3", "the prompt as token ids",
                 [&](const std::string& text) { o.input.tokens = read_ids("--tokens", text); });
    table.option("--max-tokens", "N", "tokens that A writes after the prompt (64)", [&](const std::string& text) {
        o.request.max_tokens = static_cast<int>(read_integer("--max-tokens", text, 0, kMostTokens));
    });
    table.flag("--ignore-eos", "go on when A ends the text", o.request.ignore_eos);
    table.flag("--json", "print the comparison and its tokens as one JSON object per line", o.json);
    table.flag("--csv", "print one line of comma-separated values per token", o.csv);
    add_sampling_options(table, o.request.sampling);
    add_routing_options(table, o.a.routing, o.a.kv);
    add_device_options(table, o.device, o.a.kv);
    table.afterwards([&] {
        o.b.routing = o.a.routing;
        o.b.kv = o.a.kv;
    });
    add_routing_options(table, o.b.routing, o.b.kv, "--b-", "Routing of B, where it is not as A's");
    if (!table.parse(arguments)) return false;
    if (o.json && o.csv) throw UsageError("give either --json or --csv, not both");
    if (o.a.is_trace()) {
        if (o.input.text || o.input.tokens)
            throw UsageError("A is a trace, which has its text: leave --prompt and --tokens out");
    } else {
        require_one(o.input, "--prompt");
    }
    return true;
}

void check_vocabularies(int a, int b) {
    if (a != b)
        throw Error("comparison: expected two models with the same vocabulary, got " + std::to_string(a) + " and " +
                    std::to_string(b) + " tokens");
}

/// Runs the request to its end, or until the user has had enough.
Trace run(const std::shared_ptr<const Model>& model, const KvSettings& kv, const Request& request, const std::string& text,
          const Interrupt& interrupt) {
    Trace trace{make_header(model->info(), request, kv, text), {}, {}, false};
    Scheduler scheduler(model, kv);
    scheduler.submit(request);
    while (!scheduler.idle() && !interrupt.requested())
        for (FinishedToken& token : scheduler.advance().tokens) trace.tokens.push_back(std::move(token.record));
    return trace;
}

Trace trace_of_a(CompareOptions& o, const std::shared_ptr<const Model>& model, const Interrupt& interrupt) {
    if (o.a.is_trace()) return read_trace(o.a.name);
    Request request = o.request;
    request.prompt = tokens_of(*model, o.input);
    request.prompt_logprobs = true;
    request.routing = o.a.routing;
    return run(model, o.a.kv, request, o.input.text.value_or(""), interrupt);
}

Trace trace_of_b(CompareOptions& o, const std::shared_ptr<const Model>& model, const Trace& a, const Interrupt& interrupt) {
    if (o.b.is_trace()) return read_trace(o.b.name);
    Request request;
    for (const TokenRecord& token : a.tokens)
        if (token.request == 0) request.prompt.push_back(token.token);
    request.max_tokens = 0;
    request.prompt_logprobs = true;
    request.routing = o.b.routing;
    return run(model, o.b.kv, request, a.header.prompt, interrupt);
}

}  // namespace

int compare(Arguments arguments) {
    CompareOptions o;
    if (!read_options(arguments, o)) return 0;
    const Interrupt interrupt;
    std::shared_ptr<const Model> model;
    if (!o.a.is_trace()) model = Model::load(resolve_model(o.a.name), o.device);
    const Trace a = trace_of_a(o, model, interrupt);
    if (!o.b.is_trace() && (o.a.is_trace() || resolve_model(o.b.name) != resolve_model(o.a.name)))
        model = Model::load(resolve_model(o.b.name), o.device);
    if (!o.b.is_trace()) check_vocabularies(a.header.config.llama.vocab_size, model->info().config.llama.vocab_size);
    const Trace b = trace_of_b(o, model, a, interrupt);
    const RunComparison result = compare_runs(a, b);
    std::cout << (o.json  ? comparison_json(result, a, b)
                  : o.csv ? comparison_csv(result, a, b)
                          : comparison_text(result, a, b));
    return 0;
}

}  // namespace mor::cli
