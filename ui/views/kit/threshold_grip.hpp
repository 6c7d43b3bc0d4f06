// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>
#include <QRectF>
#include <vector>

namespace mor::ui {

class ThresholdEstimate;

/// The threshold as a line in score histograms, under a hand: grasped, dragged, put back with a double click.
class ThresholdGrip {
public:
    explicit ThresholdGrip(ThresholdEstimate* estimate) : estimate_(estimate) {}  ///< null: there is nothing to grasp

    bool isAt(const QPointF&, const std::vector<QRectF>& histograms) const;  ///< the line can be grasped there
    bool press(const QPointF&, const std::vector<QRectF>& histograms);       ///< true: it is held now
    bool drag(const QPointF&);                                               ///< false: nothing is held
    void release() { held_ = {}; }
    void putBack();  ///< as recorded

private:
    QRectF under(const QPointF&, const std::vector<QRectF>& histograms) const;  ///< empty: none

    ThresholdEstimate* estimate_;
    QRectF held_;  ///< the histogram in which it is dragged
};

}  // namespace mor::ui
