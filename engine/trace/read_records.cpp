// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "io/names.hpp"
#include "trace/format.hpp"

namespace mor {
namespace {

constexpr std::int64_t kMostRequests = 1 << 20;
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr double kLongest = 1e12;  // milliseconds, about thirty years

template <class Number>
Number number_or(const Field& f, const char* key, Number absent) {
    constexpr double kMost = std::numeric_limits<Number>::max();
    const auto field = f.find(key);
    if (!field) return absent;
    if (field->json() == "inf") return std::numeric_limits<Number>::infinity();
    if (field->json() == "-inf") return -std::numeric_limits<Number>::infinity();
    return static_cast<Number>(field->number(-kMost, kMost));
}

std::int64_t count_or_zero(const Field& f, const char* key) {
    const auto field = f.find(key);
    return field ? field->integer(0, kLargest) : 0;
}

int position_of(const Field& f, const ModelConfig& c) {
    return static_cast<int>(f.at("position").integer(0, c.llama.max_position_embeddings - 1));
}

int request_of(const Field& f) { return static_cast<int>(f.at("request").integer(0, kMostRequests)); }

int token_of(const Field& f, const ModelConfig& c) {
    return static_cast<int>(f.at("token").integer(0, c.llama.vocab_size - 1));
}

Decision read_decision(const Field& f) {
    Decision d;
    if (const auto outcome = f.find("outcome")) {
        const auto word = from_word<Outcome>(outcome->text());
        if (!word) outcome->refuse(choice_of(words_of(Outcome{})));
        d.outcome = *word;
    }
    d.logit = number_or(f, "logit", kNotEvaluated);
    d.aux_logit = number_or(f, "aux", kNotEvaluated);
    d.score = number_or(f, "score", kNotEvaluated);
    d.gate = number_or(f, "gate", kNotEvaluated);
    d.margin = number_or(f, "margin", kNotEvaluated);
    return d;
}

/// A list with exactly one entry for each of `size`.
void check_size(const Field& list, std::size_t size) {
    if (list.size() != size) list.refuse("a list of " + std::to_string(size));
}

/// One decision per recursion of a routed model; nothing was recorded where the key is absent.
std::vector<Decision> read_decisions(const Field& f, const MorConfig& mor) {
    const std::size_t size = mor.routing == Routing::None ? 0 : static_cast<std::size_t>(mor.num_recursion);
    std::vector<Decision> decisions(size);
    if (const auto list = f.find("recursions")) {
        check_size(*list, size);
        for (std::size_t r = 0; r < size; ++r) decisions[r] = read_decision(list->item(r));
    }
    return decisions;
}

std::vector<std::int64_t> read_bytes(const Field& kv, const char* key, std::size_t size) {
    std::vector<std::int64_t> bytes(size);
    if (const auto list = kv.find(key)) {
        check_size(*list, size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = list->item(i).integer(0, kLargest);
    }
    return bytes;
}

KvUse read_kv(const Field& f, const MorConfig& mor) {
    const auto size = static_cast<std::size_t>(mor.num_recursion) + 1;
    KvUse use{std::vector<std::int64_t>(size), std::vector<std::int64_t>(size), 0};
    if (const auto kv = f.find("kv"))
        use = {read_bytes(*kv, "used", size), read_bytes(*kv, "reserved", size), count_or_zero(*kv, "vanilla")};
    return use;
}

std::vector<Alternative> read_alternatives(const Field& f, const ModelConfig& c) {
    std::vector<Alternative> top;
    const auto list = f.find("top");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const Field a = list->item(i);
        top.push_back({token_of(a, c), a.at("piece").text(), number_or(a, "logprob", kNotEvaluated)});
    }
    return top;
}

std::vector<Exit> read_exits(const Field& f, const ModelConfig& c) {
    std::vector<Exit> exits;
    const auto list = f.find("exits");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        const Field e = list->item(i);
        const auto recursion = e.at("recursion").integer(0, std::max(0, c.mor.num_recursion - 1));
        exits.push_back({static_cast<int>(recursion), read_alternatives(e, c)});
    }
    return exits;
}

Finish read_finish(const Field& f) {
    const auto finish = f.find("finish");
    if (!finish) return Finish::None;
    const auto word = from_word<Finish>(finish->text());
    if (!word) finish->refuse(choice_of(words_of(Finish{})));
    return *word;
}

double milliseconds(const Field& f, const char* key) {
    const auto field = f.find(key);
    return field ? field->number(0, kLongest) : 0;
}

}  // namespace

TokenRecord read_token(const Field& f, const ModelConfig& c) {
    TokenRecord t;
    t.request = request_of(f);
    t.position = position_of(f, c);
    t.token = token_of(f, c);
    t.text = f.at("piece").text();
    t.label = f.at("label").text();
    if (const auto prompt = f.find("prompt")) t.prompt = prompt->boolean();
    t.depth = static_cast<int>(f.at("depth").integer(0, c.mor.num_recursion));
    t.recursions = read_decisions(f, c.mor);
    t.kv = read_kv(f, c.mor);
    t.flops = count_or_zero(f, "flops");
    t.flops_vanilla = count_or_zero(f, "flops_vanilla");
    t.logprob = number_or(f, "logprob", kNotEvaluated);
    t.top = read_alternatives(f, c);
    t.exits = read_exits(f, c);
    t.time_ms = milliseconds(f, "time_ms");
    t.finish = read_finish(f);
    return t;
}

PassRecord read_pass(const Field& f, const ModelConfig& c) {
    PassRecord p;
    p.segment = static_cast<int>(f.at("segment").integer(0, c.llama.num_hidden_layers - 1));
    const Field rows = f.at("rows");
    p.rows.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Field row = rows.item(i);
        const auto recursion = row.find("recursion");
        const auto r = recursion ? recursion->integer(-1, c.mor.num_recursion - 1) : -1;
        p.rows.push_back({request_of(row), position_of(row, c), static_cast<int>(r), read_decision(row)});
    }
    p.computed_rows = static_cast<int>(f.at("computed_rows").integer(0, static_cast<std::int64_t>(rows.size())));
    const auto requests = [&](const char* name) {
        const auto number = f.find(name);
        return number ? static_cast<int>(number->integer(0, kMostRequests)) : -1;
    };
    p.waiting = requests("waiting");
    p.running = requests("running");
    p.milliseconds = milliseconds(f, "milliseconds");
    p.kv_blocks_in_use = count_or_zero(f, "kv_blocks_in_use");
    p.kv_blocks_total = count_or_zero(f, "kv_blocks_total");
    return p;
}

}  // namespace mor
