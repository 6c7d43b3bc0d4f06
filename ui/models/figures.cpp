// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/figures.hpp"

#include <numeric>

namespace mor::ui {
namespace {

std::optional<double> saved(double spent, double vanilla) {
    if (vanilla <= 0) return {};
    return 1.0 - spent / vanilla;
}

}  // namespace

std::int64_t kvUsed(const mor::KvUse& kv) { return std::accumulate(kv.used.begin(), kv.used.end(), std::int64_t{0}); }

std::int64_t kvReserved(const mor::KvUse& kv) {
    return std::accumulate(kv.reserved.begin(), kv.reserved.end(), std::int64_t{0});
}

void FigureSums::add(const mor::TokenRecord& record) {
    depth_ += record.depth;
    flops_ += static_cast<double>(record.flops);
    vanilla_ += static_cast<double>(record.flops_vanilla);
    if (record.prompt) return;
    if (decoded_ == 0) firstMs_ = record.time_ms;
    ++decoded_;
}

Figures FigureSums::of(const mor::Trace& trace) const {
    Figures figures;
    figures.recursions = trace.header.config.mor.num_recursion;
    figures.contextSize = trace.header.config.llama.max_position_embeddings;
    if (trace.tokens.empty()) return figures;
    const auto& last = trace.tokens.back();
    const auto count = static_cast<double>(trace.tokens.size());
    figures.tokens = static_cast<int>(trace.tokens.size());
    figures.decodedTokens = decoded_;
    figures.promptTokens = figures.tokens - decoded_;
    if (decoded_ > 0) figures.firstTokenMs = firstMs_;
    const double span = last.time_ms - firstMs_;
    if (decoded_ > 1 && span > 0) figures.tokensPerSecond = 1000.0 * (decoded_ - 1) / span;
    if (figures.recursions > 0) figures.meanDepth = depth_ / count;
    if (flops_ > 0) figures.flopsPerToken = flops_ / count;
    if (vanilla_ > 0) figures.flopsPerTokenVanilla = vanilla_ / count;
    if (flops_ > 0) figures.flopsSaved = saved(flops_, vanilla_);
    figures.kvUsed = kvUsed(last.kv);
    figures.kvReserved = kvReserved(last.kv);
    figures.kvVanilla = last.kv.vanilla;
    figures.kvSaved = saved(static_cast<double>(figures.kvUsed), static_cast<double>(figures.kvVanilla));
    return figures;
}

Figures figuresOf(const mor::Trace& trace) {
    FigureSums sums;
    for (const auto& record : trace.tokens) sums.add(record);
    return sums.of(trace);
}

}  // namespace mor::ui
