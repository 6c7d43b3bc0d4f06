// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "commands.hpp"
#include "format.hpp"
#include "mor/trace.hpp"
#include "options.hpp"

namespace mor::cli {

namespace {

/// One letter per recursion: what its router decided.
std::string outcome_letter(Outcome outcome) {
    switch (outcome) {
        case Outcome::Take:
            return "+";
        case Outcome::Leave:
            return "-";
        case Outcome::KvOnly:
            return "k";
        case Outcome::NotOffered:
            break;
    }
    return ".";
}

std::size_t recursions_of(const Trace& trace) {
    std::size_t most = 0;
    for (const TokenRecord& record : trace.tokens) most = std::max(most, record.recursions.size());
    return most;
}

void print_json(const Trace& trace) {
    std::cout << to_json(trace.header) << "\n";
    for (const TokenRecord& record : trace.tokens) std::cout << to_json(record) << "\n";
}

void print_csv(const Trace& trace) {
    const std::size_t recursions = recursions_of(trace);
    std::vector<std::string> head{"request", "position", "token", "label", "prompt", "depth"};
    for (std::size_t r = 1; r <= recursions; ++r)
        for (const char* what : {"outcome", "logit", "score", "gate"})
            head.push_back(what + std::string("_") + std::to_string(r));
    for (const char* name :
         {"kv_used", "kv_reserved", "kv_vanilla", "flops", "flops_vanilla", "logprob", "time_ms", "finish"})
        head.emplace_back(name);
    std::cout << csv_line(head);
    const auto number = [](double value) { return fixed(value, 6) == "-" ? std::string() : fixed(value, 6); };
    for (const TokenRecord& t : trace.tokens) {
        std::vector<std::string> cells{std::to_string(t.request), std::to_string(t.position),
                                       std::to_string(t.token),   t.label,
                                       t.prompt ? "1" : "0",      std::to_string(t.depth)};
        for (std::size_t r = 0; r < recursions; ++r) {
            const Decision d = r < t.recursions.size() ? t.recursions[r] : Decision{};
            cells.insert(cells.end(), {name_of(d.outcome), number(d.logit), number(d.score), number(d.gate)});
        }
        cells.insert(cells.end(), {std::to_string(sum_of(t.kv.used)), std::to_string(sum_of(t.kv.reserved)),
                                   std::to_string(t.kv.vanilla), std::to_string(t.flops), std::to_string(t.flops_vanilla),
                                   number(t.logprob), number(t.time_ms), name_of(t.finish)});
        std::cout << csv_line(cells);
    }
}

std::string header_text(const Trace& trace) {
    const TraceHeader& h = trace.header;
    return table_text({{"model", h.model_name + " (" + h.model_hash + ")"},
                       {"prompt", h.prompt.empty() ? std::to_string(h.prompt_tokens) + " token ids" : escaped(h.prompt)},
                       {"routing", std::string(name_of(h.config.mor.routing)) + ", rule " + name_of(h.routing.rule) +
                                       ", threshold " + fixed(h.routing.threshold, 2)},
                       {"KV", std::string(name_of(h.kv_policy)) + ", " + name_of(h.kv_type)},
                       {"device", h.device},
                       {"records", grouped(static_cast<std::int64_t>(trace.tokens.size())) + " tokens, " +
                                       grouped(static_cast<std::int64_t>(trace.passes.size())) + " passes" +
                                       (trace.torn ? " (the last line was incomplete and has been dropped)" : "")}});
}

void print_table(const Trace& trace) {
    const std::size_t recursions = recursions_of(trace);
    std::vector<std::vector<std::string>> rows{{"position", "token", "", "depth"}};
    for (std::size_t r = 1; r <= recursions; ++r) rows[0].push_back("recursion " + std::to_string(r));
    rows[0].insert(rows[0].end(), {"KV bytes", "vanilla", "FLOPs", "log p"});
    for (const TokenRecord& t : trace.tokens) {
        std::vector<std::string> cells{std::to_string(t.position), escaped(t.label), t.prompt ? "prompt" : "",
                                       std::to_string(t.depth)};
        for (std::size_t r = 0; r < recursions; ++r) {
            const Decision d = r < t.recursions.size() ? t.recursions[r] : Decision{};
            cells.push_back(outcome_letter(d.outcome) + (d.outcome == Outcome::NotOffered ? "" : " " + fixed(d.score, 3)));
        }
        cells.insert(cells.end(),
                     {grouped(sum_of(t.kv.used)), grouped(t.kv.vanilla), grouped(t.flops), fixed(t.logprob, 3)});
        rows.push_back(std::move(cells));
    }
    std::cout << header_text(trace) << "\n" << table_text(rows);
    if (recursions > 0)
        std::cout << "\nrecursions: + taken, - left, k only K/V stored, . not offered; the number is the score\n";
}

}  // namespace

int replay(Arguments arguments) {
    std::string file;
    bool json = false;
    bool csv = false;
    OptionTable table("morscope-cli replay", "Prints the records of a trace; no model is needed.");
    table.argument("TRACE", "a .mortrace file", [&](const std::string& text) { file = text; });
    table.flag("--json", "print header and token records as one JSON object per line", json);
    table.flag("--csv", "print one line of comma-separated values per token", csv);
    if (!table.parse(arguments)) return 0;
    if (json && csv) throw UsageError("give either --json or --csv, not both");
    const Trace trace = read_trace(file);
    if (json)
        print_json(trace);
    else if (csv)
        print_csv(trace);
    else
        print_table(trace);
    return 0;
}

}  // namespace mor::cli
