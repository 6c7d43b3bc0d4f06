// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "mor/comparison.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

std::vector<const TokenRecord*> first_request(const Trace& trace) {
    std::vector<const TokenRecord*> tokens;
    for (const TokenRecord& t : trace.tokens)
        if (t.request == 0 && t.position == static_cast<int>(tokens.size())) tokens.push_back(&t);
    return tokens;
}

/// Readable names come from the vocabulary.
void check_names(const TokenRecord& a, const TokenRecord& b) {
    if (a.label == b.label) return;
    throw Error("comparison: expected the same vocabulary on both sides, got \"" + a.label + "\" and \"" + b.label +
                "\" for token " + std::to_string(a.token));
}

int recursions_of(const Trace& trace) { return trace.header.config.mor.num_recursion; }

RunFigures figures_of(const Trace& trace, const std::vector<const TokenRecord*>& tokens, std::size_t common) {
    RunFigures f;
    const int recursions = recursions_of(trace);
    f.depths.assign(static_cast<std::size_t>(recursions) + 1, 0);
    double depth = 0;
    for (std::size_t i = 0; i < common; ++i) {
        const TokenRecord& t = *tokens[i];
        ++f.depths[static_cast<std::size_t>(std::clamp(t.depth, 0, recursions))];
        depth += t.depth;
    }
    if (recursions > 0) f.mean_depth = depth / static_cast<double>(common);
    const KvUse& kv = tokens[common - 1]->kv;
    f.kv_used = std::accumulate(kv.used.begin(), kv.used.end(), std::int64_t{0});
    f.kv_vanilla = kv.vanilla;
    return f;
}

/// Adds to sums what it took to predict `next`, and how well it went.
void add_prediction(RunFigures& f, const TokenRecord& from, const TokenRecord& next) {
    f.nats_per_token -= static_cast<double>(next.logprob);
    f.flops_per_token += static_cast<double>(from.flops);
    f.flops_per_token_vanilla += static_cast<double>(from.flops_vanilla);
}

double correlation(const std::vector<std::vector<std::int64_t>>& counts) {
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (std::size_t a = 0; a < counts.size(); ++a) {
        for (std::size_t b = 0; b < counts[a].size(); ++b) {
            const auto count = static_cast<double>(counts[a][b]), da = static_cast<double>(a), db = static_cast<double>(b);
            n += count;
            x += count * da;
            y += count * db;
            xx += count * da * da;
            yy += count * db * db;
            xy += count * da * db;
        }
    }
    const double spread = (n * xx - x * x) * (n * yy - y * y);
    return spread > 0 ? (n * xy - x * y) / std::sqrt(spread) : std::nan("");
}

}  // namespace

RunComparison compare_runs(const Trace& a, const Trace& b) {
    const auto left = first_request(a), right = first_request(b);
    std::size_t common = 0;
    while (common < std::min(left.size(), right.size()) && left[common]->token == right[common]->token) {
        check_names(*left[common], *right[common]);
        ++common;
    }
    if (common == 0) throw Error("comparison: expected runs that begin with the same token, got none in common");

    RunComparison c;
    c.tokens = static_cast<int>(common);
    c.a = figures_of(a, left, common);
    c.b = figures_of(b, right, common);
    c.depths.assign(c.a.depths.size(), std::vector<std::int64_t>(c.b.depths.size(), 0));
    for (RunFigures* f : {&c.a, &c.b}) f->nats_per_token = f->flops_per_token = f->flops_per_token_vanilla = 0;
    for (std::size_t i = 0; i < common; ++i) {
        const TokenRecord &l = *left[i], &r = *right[i];
        ++c.depths[static_cast<std::size_t>(std::clamp(l.depth, 0, recursions_of(a)))]
                  [static_cast<std::size_t>(std::clamp(r.depth, 0, recursions_of(b)))];
        if (i == 0 || !std::isfinite(l.logprob) || !std::isfinite(r.logprob)) continue;
        ++c.predicted;
        add_prediction(c.a, *left[i - 1], l);
        add_prediction(c.b, *right[i - 1], r);
    }
    for (RunFigures* f : {&c.a, &c.b})
        for (double* sum : {&f->nats_per_token, &f->flops_per_token, &f->flops_per_token_vanilla})
            *sum = c.predicted > 0 ? *sum / c.predicted : std::nan("");
    c.depth_correlation = correlation(c.depths);
    return c;
}

}  // namespace mor
