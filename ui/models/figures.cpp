// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/figures.hpp"

#include <numeric>

namespace mor::ui {
namespace {

std::optional<double> saved(double spent, double vanilla) {
    if (vanilla <= 0) return {};
    return 1.0 - spent / vanilla;
}

void addTimes(Figures& figures, const mor::Trace& trace) {
    const mor::TokenRecord* first = nullptr;
    for (const auto& record : trace.tokens) {
        if (record.prompt) continue;
        ++figures.decodedTokens;
        if (!first) first = &record;
    }
    if (!first) return;
    figures.firstTokenMs = first->time_ms;
    const double span = trace.tokens.back().time_ms - first->time_ms;
    if (figures.decodedTokens > 1 && span > 0) figures.tokensPerSecond = 1000.0 * (figures.decodedTokens - 1) / span;
}

void addCosts(Figures& figures, const mor::Trace& trace) {
    double depth = 0, flops = 0, vanilla = 0;
    for (const auto& record : trace.tokens) {
        depth += record.depth;
        flops += static_cast<double>(record.flops);
        vanilla += static_cast<double>(record.flops_vanilla);
    }
    const auto count = static_cast<double>(trace.tokens.size());
    if (figures.recursions > 0) figures.meanDepth = depth / count;
    if (flops > 0) figures.flopsPerToken = flops / count;
    if (vanilla > 0) figures.flopsPerTokenVanilla = vanilla / count;
    if (flops > 0) figures.flopsSaved = saved(flops, vanilla);
}

}  // namespace

std::int64_t kvUsed(const mor::KvUse& kv) { return std::accumulate(kv.used.begin(), kv.used.end(), std::int64_t{0}); }

std::int64_t kvReserved(const mor::KvUse& kv) {
    return std::accumulate(kv.reserved.begin(), kv.reserved.end(), std::int64_t{0});
}

Figures figuresOf(const mor::Trace& trace) {
    Figures figures;
    figures.recursions = trace.header.config.mor.num_recursion;
    figures.contextSize = trace.header.config.llama.max_position_embeddings;
    if (trace.tokens.empty()) return figures;
    figures.tokens = static_cast<int>(trace.tokens.size());
    addTimes(figures, trace);
    figures.promptTokens = figures.tokens - figures.decodedTokens;
    addCosts(figures, trace);
    const auto& kv = trace.tokens.back().kv;
    figures.kvUsed = kvUsed(kv);
    figures.kvReserved = kvReserved(kv);
    figures.kvVanilla = kv.vanilla;
    figures.kvSaved = saved(static_cast<double>(figures.kvUsed), static_cast<double>(figures.kvVanilla));
    return figures;
}

}  // namespace mor::ui
