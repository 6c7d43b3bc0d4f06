// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <optional>

#include "commands.hpp"
#include "format.hpp"
#include "interrupt.hpp"
#include "mor/chat.hpp"
#include "mor/error.hpp"
#include "mor/trace.hpp"
#include "run_summary.hpp"
#include "setting_options.hpp"

namespace mor::cli {

namespace {

struct GenerateOptions {
    std::filesystem::path model;
    Input input;
    Request request;
    DeviceSettings device;
    KvSettings kv;
    std::string trace;
    bool json = false;
    bool chat = false;
};

constexpr int kMostTokens = 1 << 24;  ///< a bound on nonsense; the context ends a text long before

bool read_options(Arguments arguments, GenerateOptions& o) {
    OptionTable table("morscope-cli generate",
                      "Writes text after a prompt to standard output, and a summary to standard error.");
    add_model_argument(table, o.model);
    table.option("--prompt", "TEXT", "the text to go on from", [&](const std::string& text) { o.input.text = text; });
    table.option("--tokens", "1,2,3", "the prompt as token ids; prints ids if the model has no tokenizer",
                 [&](const std::string& text) { o.input.tokens = read_ids("--tokens", text); });
    table.option("--max-tokens", "N", "decoded tokens after the prompt (64)", [&](const std::string& text) {
        o.request.max_tokens = static_cast<int>(read_integer("--max-tokens", text, 0, kMostTokens));
    });
    table.flag("--ignore-eos", "go on when the model ends the text", o.request.ignore_eos);
    table.flag("--chat", "put the model's chat template around the prompt", o.chat);
    table.option("--trace", "FILE", "record the run for replay and for the window (.mortrace)",
                 [&](const std::string& text) {
                     if (text.empty()) throw UsageError("--trace needs a file name");
                     o.trace = text;
                 });
    table.flag("--json", "print records and summary as one JSON object per line", o.json);
    add_sampling_options(table, o.request.sampling);
    add_routing_options(table, o.request.routing, o.kv);
    add_device_options(table, o.device, o.kv);
    if (!table.parse(arguments)) return false;
    require_one(o.input, "--prompt");
    if (o.chat && !o.input.text) throw UsageError("--chat needs a text, give it with --prompt");
    return true;
}

/// The prompt as the model's chat template writes it.
std::string as_chat(const std::filesystem::path& model, const std::string& prompt) {
    const auto chat = ChatTemplate::load(model);
    if (!chat) throw bad_input(model.string(), "--chat", "a model with a chat template", "none: leave --chat out");
    return chat->first_turn(prompt);
}

/// Prints records as they come: text, ids where there is no tokenizer, or JSON lines.
class Printer {
public:
    Printer(bool json, bool has_tokenizer) : json_(json), has_tokenizer_(has_tokenizer) {}

    void print(const TraceHeader& header) {
        if (json_) std::cout << to_json(header) << "\n";
    }

    void print(const TokenRecord& record) {
        if (json_)
            std::cout << to_json(record) << "\n";
        else if (has_tokenizer_)
            std::cout << (terminal_ ? printable(record.text) : record.text);
        else
            std::cout << (record.position == 0 ? "" : ",") << record.token;
        // Without this a failing pipe or a full disk would let the model run on for nobody.
        if (!std::cout.flush()) throw Error("standard output: cannot write, is the disk full?");
    }

    void end(const RunSummary& summary, const ModelInfo& info) {
        if (json_) {
            std::cout << summary.json() << "\n";
            return;
        }
        std::cout << std::endl;
        std::cerr << (terminal_ ? "\n" : "") << summary.text(info);
    }

private:
    bool json_;
    bool has_tokenizer_;
    bool terminal_ = isatty(STDOUT_FILENO) != 0;
};

}  // namespace

int generate(Arguments arguments) {
    GenerateOptions o;
    if (!read_options(arguments, o)) return 0;
    if (o.chat) o.input.text = as_chat(o.model, *o.input.text);
    const Interrupt interrupt;
    const auto model = Model::load(o.model, o.device);
    o.request.prompt = tokens_of(*model, o.input);

    Scheduler scheduler(model, o.kv);
    const TraceHeader header = make_header(model->info(), o.request, o.kv, o.input.text.value_or(""));
    const int request = scheduler.submit(o.request);
    std::optional<TraceWriter> writer;
    if (!o.trace.empty()) writer.emplace(o.trace, header);
    Printer printer(o.json, model->tokenizer() != nullptr);
    printer.print(header);
    RunSummary summary;
    while (!scheduler.idle() && !interrupt.requested()) {
        const Events events = scheduler.advance();
        if (writer) writer->add(events);
        for (const FinishedToken& token : events.tokens) {
            summary.add(token.record);
            printer.print(token.record);
        }
    }
    if (!scheduler.idle()) scheduler.cancel(request);
    summary.end(scheduler, request, interrupt.requested());
    printer.end(summary, model->info());
    // Where it ran is part of the summary; a run that fails has its own sentence.
    if (!model->info().device_note.empty()) std::cerr << "morscope-cli: " << model->info().device_note << "\n";
    return 0;
}

}  // namespace mor::cli
