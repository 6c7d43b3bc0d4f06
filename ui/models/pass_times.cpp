// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/pass_times.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mor::ui {
namespace {

/// Bounds what a damaged trace file may make this allocate.
constexpr int kMostTokens = 1 << 20;

bool isComputed(const mor::PassRow& row) {
    return row.recursion < 0 || row.decision.outcome == mor::Outcome::Take || row.decision.outcome == mor::Outcome::KvOnly;
}

}  // namespace

void PassTimes::reset(int recursions) {
    parts_ = std::max(0, recursions) + 1;
    times_.clear();
    shorter_ = {};
    longer_ = {};
    nothing_.assign(static_cast<std::size_t>(parts_), 0);
}

void PassTimes::add(const mor::PassRecord& pass) {
    if (!std::isfinite(pass.milliseconds) || pass.milliseconds < 0 || pass.rows.empty()) return;
    noteLength(static_cast<float>(pass.milliseconds));
    // Unrouted models record no decisions: all their rows are computed.
    const auto computed = std::count_if(pass.rows.begin(), pass.rows.end(), isComputed);
    const auto share =
        static_cast<float>(pass.milliseconds / static_cast<double>(computed > 0 ? computed : std::ssize(pass.rows)));
    for (const auto& row : pass.rows) {
        if (computed > 0 && !isComputed(row)) continue;
        if (row.position < 0 || row.position >= kMostTokens || row.recursion + 1 >= parts_) continue;
        const auto needed = static_cast<std::size_t>(row.position + 1) * static_cast<std::size_t>(parts_);
        if (times_.size() < needed) times_.resize(needed);
        const int part = std::max(0, row.recursion + 1);
        times_[static_cast<std::size_t>(row.position * parts_ + part)] += share;
    }
}

std::span<const float> PassTimes::of(int token) const {
    if (token < 0 || token >= tokenCount()) return nothing_;
    return std::span(times_).subspan(static_cast<std::size_t>(token * parts_), static_cast<std::size_t>(parts_));
}

double PassTimes::total(int token) const {
    const auto parts = of(token);
    return std::accumulate(parts.begin(), parts.end(), 0.0);
}

void PassTimes::noteLength(float milliseconds) {
    if (longer_.empty() || milliseconds >= longer_.top())
        longer_.push(milliseconds);
    else
        shorter_.push(milliseconds);
    if (longer_.size() > shorter_.size() + 1) {
        shorter_.push(longer_.top());
        longer_.pop();
    } else if (longer_.size() < shorter_.size()) {
        longer_.push(shorter_.top());
        shorter_.pop();
    }
}

double PassTimes::medianPass() const { return longer_.empty() ? 0 : longer_.top(); }

}  // namespace mor::ui
