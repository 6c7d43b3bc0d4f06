// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/threshold_estimate.hpp"

#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

// Hundredths, as the control that generates with it has them.
constexpr double kSteps = 100, kLowest = 0.01, kHighest = 0.99;

}  // namespace

ThresholdEstimate::ThresholdEstimate(const TraceModel* model, QObject* parent) : QObject(parent), model_(model) {
    connect(model, &QAbstractItemModel::modelReset, this, &ThresholdEstimate::reset);
}

bool ThresholdEstimate::isPossible() const {
    const auto& header = model_->header();
    return model_->isRouted() && header.config.mor.routing == mor::Routing::ExpertChoice &&
           header.routing.rule == mor::SelectionRule::Threshold && !header.routing.fixed_depth;
}

double ThresholdEstimate::threshold() const {
    return threshold_.value_or(std::clamp(model_->header().routing.threshold, 0.0, 1.0));
}

void ThresholdEstimate::setThreshold(double threshold) {
    if (!isPossible() || std::isnan(threshold)) return;
    const double wanted = std::clamp(std::round(threshold * kSteps) / kSteps, kLowest, kHighest);
    if (threshold_ == wanted) return;
    threshold_ = wanted;
    emit changed();
}

void ThresholdEstimate::reset() {
    if (!threshold_) return;
    threshold_.reset();
    emit changed();
}

ThresholdEstimate::Fate ThresholdEstimate::fate(int token) const {
    const auto& record = model_->token(token);
    if (!threshold_ || model_->header().routing.forced_depth.contains(record.position)) return {record.depth, false};
    Fate fate;
    for (const auto& decision : record.recursions) {
        if (!std::isfinite(decision.score)) {
            fate.unknown = true;
            break;
        }
        if (decision.score < *threshold_) break;
        ++fate.depth;
    }
    return fate;
}

ThresholdEstimate::Summary ThresholdEstimate::summary() const {
    Summary summary;
    summary.lanes.resize(static_cast<std::size_t>(model_->recursions()));
    for (int token = 0; token < model_->tokenCount(); ++token) {
        const auto [depth, unknown] = fate(token);
        const int recorded = model_->token(token).depth;
        if (unknown || depth > recorded) ++summary.deeper;
        if (unknown) ++summary.unknown;
        if (!unknown && depth < recorded) ++summary.shallower;
        for (int r = 0; r < model_->recursions(); ++r) {
            auto& lane = summary.lanes[static_cast<std::size_t>(r)];
            if (r < depth)
                ++lane.taken;
            else if (unknown)
                ++lane.unknown;
        }
    }
    return summary;
}

}  // namespace mor::ui
