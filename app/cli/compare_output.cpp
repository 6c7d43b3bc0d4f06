// SPDX-License-Identifier: Apache-2.0
#include "compare_output.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "format.hpp"

namespace mor::cli {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json figures_json(const RunFigures& f, const TraceHeader& h) {
    return {{"model", h.model_name},
            {"mean_depth", number(f.mean_depth)},
            {"nats_per_token", number(f.nats_per_token)},
            {"flops_per_token", number(f.flops_per_token)},
            {"flops_per_token_vanilla", number(f.flops_per_token_vanilla)},
            {"kv_used", f.kv_used},
            {"kv_vanilla", f.kv_vanilla},
            {"depths", f.depths}};
}

std::string depth_text(const Trace& trace, int depth) {
    return trace.header.config.mor.num_recursion > 0 ? std::to_string(depth) : "-";
}

std::string depths_table(const RunComparison& c) {
    Rows rows{{"tokens of depth in A"}};
    for (std::size_t b = 0; b < c.b.depths.size(); ++b) rows[0].push_back("B " + std::to_string(b));
    for (std::size_t a = 0; a < c.a.depths.size(); ++a) {
        rows.push_back({std::to_string(a)});
        for (const std::int64_t n : c.depths[a]) rows.back().push_back(grouped(n));
    }
    return table_text(rows);
}

/// The records of token i on both sides; tokens of request 0 are the first of a trace that has one request.
template <class F>
void for_each_token(const RunComparison& c, const Trace& a, const Trace& b, F&& f) {
    const auto next = [](const Trace& trace, std::size_t& at) -> const TokenRecord& {
        while (trace.tokens[at].request != 0) ++at;
        return trace.tokens[at++];
    };
    std::size_t left = 0, right = 0;
    for (int i = 0; i < c.tokens; ++i) {
        const TokenRecord& l = next(a, left);
        f(l, next(b, right));
    }
}

}  // namespace

std::string comparison_text(const RunComparison& c, const Trace& a, const Trace& b) {
    const auto row = [](const char* name, double x, double y, int decimals, double scale = 1) {
        return std::vector<std::string>{name, fixed(x / scale, decimals), fixed(y / scale, decimals),
                                        fixed(x != 0 ? y / x : std::nan(""), 3)};
    };
    std::string text = "A  " + a.header.model_name + "\nB  " + b.header.model_name + "\n" + grouped(c.tokens) +
                       " common tokens, " + grouped(c.predicted) + " predicted by both\n\n";
    text += table_text(
        {{"", "A", "B", "B / A"},
         row("mean depth", c.a.mean_depth, c.b.mean_depth, 3),
         row("nats per token", c.a.nats_per_token, c.b.nats_per_token, 4),
         row("MFLOPs per token", c.a.flops_per_token, c.b.flops_per_token, 2, 1e6),
         row("  vanilla, computed", c.a.flops_per_token_vanilla, c.b.flops_per_token_vanilla, 2, 1e6),
         row("KiB of K/V", static_cast<double>(c.a.kv_used), static_cast<double>(c.b.kv_used), 1, 1024),
         row("  vanilla, computed", static_cast<double>(c.a.kv_vanilla), static_cast<double>(c.b.kv_vanilla), 1, 1024)});
    if (c.depths.size() > 1 && c.depths[0].size() > 1)
        text += "\n" + depths_table(c) + "correlation of depths  " + fixed(c.depth_correlation, 3) + "\n";
    Rows rows{{"position", "token", "depth A", "depth B", "log p A", "log p B"}};
    for_each_token(c, a, b, [&](const TokenRecord& l, const TokenRecord& r) {
        rows.push_back({std::to_string(l.position), escaped(l.label), depth_text(a, l.depth), depth_text(b, r.depth),
                        fixed(l.logprob, 3), fixed(r.logprob, 3)});
    });
    return text + "\n" + table_text(rows);
}

std::string comparison_json(const RunComparison& c, const Trace& a, const Trace& b) {
    std::string text = Json{{"type", "comparison"},
                            {"tokens", c.tokens},
                            {"predicted", c.predicted},
                            {"a", figures_json(c.a, a.header)},
                            {"b", figures_json(c.b, b.header)},
                            {"depths", c.depths},
                            {"depth_correlation", number(c.depth_correlation)}}
                           .dump(-1, ' ', false, Json::error_handler_t::replace) +
                       "\n";
    for_each_token(c, a, b, [&](const TokenRecord& l, const TokenRecord& r) {
        text += Json{{"type", "compared-token"},
                     {"position", l.position},
                     {"token", l.token},
                     {"label", l.label},
                     {"depth", {l.depth, r.depth}},
                     {"logprob", {number(static_cast<double>(l.logprob)), number(static_cast<double>(r.logprob))}},
                     {"flops", {l.flops, r.flops}},
                     {"kv_used", {sum_of(l.kv.used), sum_of(r.kv.used)}}}
                    .dump(-1, ' ', false, Json::error_handler_t::replace) +
                "\n";
    });
    return text;
}

std::string comparison_csv(const RunComparison& c, const Trace& a, const Trace& b) {
    std::string text = csv_line({"position", "token", "label", "depth_a", "depth_b", "logprob_a", "logprob_b", "flops_a",
                                 "flops_b", "kv_used_a", "kv_used_b"});
    const auto cell = [](float value) {
        return std::isfinite(value) ? fixed(static_cast<double>(value), 6) : std::string();
    };
    for_each_token(c, a, b, [&](const TokenRecord& l, const TokenRecord& r) {
        text += csv_line({std::to_string(l.position), std::to_string(l.token), l.label, std::to_string(l.depth),
                          std::to_string(r.depth), cell(l.logprob), cell(r.logprob), std::to_string(l.flops),
                          std::to_string(r.flops), std::to_string(sum_of(l.kv.used)), std::to_string(sum_of(r.kv.used))});
    });
    return text;
}

}  // namespace mor::cli
