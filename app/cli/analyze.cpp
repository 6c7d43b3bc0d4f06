// SPDX-License-Identifier: Apache-2.0
#include <cmath>
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

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostListed = 20;  ///< differing tokens shown in the table; --json has all of them

constexpr const char* kExplanation =
    "Reads a text under the causal rule (threshold) and the training-time rule (top-k, which looks\n"
    "ahead) and puts the decisions side by side. For expert-choice models; --routing is ignored.";

double ratio(std::int64_t part, std::int64_t whole) {
    return whole ? static_cast<double>(part) / static_cast<double>(whole) : std::nan("");
}

std::string ratio_text(std::int64_t part, std::int64_t whole) { return fixed(ratio(part, whole), 4); }

Json ratio_json(std::int64_t part, std::int64_t whole) { return whole ? Json(ratio(part, whole)) : Json(nullptr); }

Json recursion_json(const RecursionAgreement& r, int number, bool auxiliary) {
    return {{"recursion", number},
            {"taken_causal", r.taken_causal},
            {"taken_topk", r.taken_topk},
            {"offered_both", r.offered_both},
            {"agreement_both", ratio_json(r.agree_both, r.offered_both)},
            {"offered_either", r.offered_either},
            {"agreement_either", ratio_json(r.agree_either, r.offered_either)},
            {"aux_router_accuracy", auxiliary ? ratio_json(r.aux_correct, r.aux_offered) : Json(nullptr)}};
}

std::string result_json(const RuleComparison& c) {
    Json recursions = Json::array(), tokens = Json::array();
    for (std::size_t r = 0; r < c.recursions.size(); ++r)
        recursions.push_back(recursion_json(c.recursions[r], static_cast<int>(r), c.has_auxiliary));
    for (const ComparedToken& t : c.tokens)
        tokens.push_back({{"window", t.window},
                          {"position", t.position},
                          {"token", t.token},
                          {"label", t.label},
                          {"causal_depth", t.causal.depth},
                          {"topk_depth", t.topk.depth}});
    const Json result{{"tokens_read", c.tokens.size()},       {"windows", c.windows},
                      {"predicted_tokens", c.predicted},      {"nats_per_token_causal", c.nats_causal},
                      {"nats_per_token_topk", c.nats_topk},   {"mean_depth_causal", c.mean_depth_causal},
                      {"mean_depth_topk", c.mean_depth_topk}, {"differing_tokens", c.differing},
                      {"recursions", std::move(recursions)},  {"depth_confusion", c.confusion},
                      {"tokens", std::move(tokens)}};
    return result.dump();
}

std::string agreement_table(const RuleComparison& c) {
    std::vector<std::vector<std::string>> rows{{"recursion", "taken causal", "taken top-k", "agree, offered by both",
                                                "agree, offered by either", "auxiliary router right"}};
    for (std::size_t r = 0; r < c.recursions.size(); ++r) {
        const RecursionAgreement& a = c.recursions[r];
        rows.push_back({std::to_string(r + 1), grouped(a.taken_causal), grouped(a.taken_topk),
                        ratio_text(a.agree_both, a.offered_both), ratio_text(a.agree_either, a.offered_either),
                        c.has_auxiliary ? ratio_text(a.aux_correct, a.aux_offered) : "-"});
    }
    return table_text(rows);
}

std::string confusion_table(const RuleComparison& c) {
    std::vector<std::vector<std::string>> rows{{"tokens of causal depth"}};
    for (std::size_t d = 0; d < c.confusion.size(); ++d) rows[0].push_back("top-k " + std::to_string(d));
    for (std::size_t d = 0; d < c.confusion.size(); ++d) {
        rows.push_back({std::to_string(d)});
        for (const std::int64_t n : c.confusion[d]) rows.back().push_back(grouped(n));
    }
    return table_text(rows);
}

std::string differing_table(const RuleComparison& c) {
    std::vector<std::vector<std::string>> rows{{"window", "position", "token", "causal depth", "top-k depth"}};
    for (const ComparedToken& t : c.tokens)
        if (t.differs() && rows.size() <= kMostListed)
            rows.push_back({std::to_string(t.window), std::to_string(t.position), escaped(t.label),
                            std::to_string(t.causal.depth), std::to_string(t.topk.depth)});
    if (rows.size() == 1) return {};
    return "\n" + table_text(rows) +
           (static_cast<std::size_t>(c.differing) > kMostListed ? "... (--json lists all tokens)\n" : "");
}

std::string result_text(const RuleComparison& c) {
    const auto share = fixed(100 * ratio(c.differing, static_cast<std::int64_t>(c.tokens.size())), 1);
    return table_text({{"", "causal", "top-k"},
                       {"nats per token", fixed(c.nats_causal, 4), fixed(c.nats_topk, 4)},
                       {"mean depth", fixed(c.mean_depth_causal, 4), fixed(c.mean_depth_topk, 4)}}) +
           "\n" + agreement_table(c) + "\n" + confusion_table(c) + "\n" + grouped(c.differing) + " of " +
           grouped(static_cast<std::int64_t>(c.tokens.size())) + " tokens differ in depth (" + share + " %)\n" +
           differing_table(c);
}

}  // namespace

int analyze(Arguments arguments) {
    WindowedText text;
    if (!read_windowed_text(arguments, "morscope-cli analyze", kExplanation, text)) return 0;
    const Interrupt interrupt;
    const auto [model, tokens] = load(text);
    const RuleComparison result = compare_rules(model, tokens, text.routing, text.kv, interrupt.token(), window_progress());
    std::cout << (text.json ? result_json(result) + "\n" : result_text(result));
    return 0;
}

}  // namespace mor::cli
