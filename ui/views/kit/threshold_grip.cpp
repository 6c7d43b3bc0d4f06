// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/threshold_grip.hpp"

#include <cmath>

#include "models/threshold_estimate.hpp"
#include "views/kit/score_histogram.hpp"

namespace mor::ui {

QRectF ThresholdGrip::under(const QPointF& at, const std::vector<QRectF>& histograms) const {
    if (!estimate_ || !estimate_->isPossible()) return {};
    for (const auto& area : histograms)
        if (!area.isEmpty() && at.y() >= area.top() && at.y() <= area.bottom() &&
            std::abs(at.x() - histogramX(area, estimate_->threshold())) <= kGrasp)
            return area;
    return {};
}

bool ThresholdGrip::isAt(const QPointF& at, const std::vector<QRectF>& histograms) const {
    return !under(at, histograms).isEmpty();
}

bool ThresholdGrip::press(const QPointF& at, const std::vector<QRectF>& histograms) {
    held_ = under(at, histograms);
    return !held_.isEmpty();
}

bool ThresholdGrip::drag(const QPointF& at) {
    if (held_.isEmpty()) return false;
    estimate_->setThreshold(histogramScore(held_, at.x()));
    return true;
}

void ThresholdGrip::putBack() { estimate_->reset(); }

}  // namespace mor::ui
