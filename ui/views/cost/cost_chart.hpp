// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>

#include "views/kit/theme.hpp"

class QPainter;

namespace mor::ui {

class PassTimes;
class Selection;
class TraceModel;

/// What each token cost, as bars from left to right under the vanilla reference; all tokens are always in sight.
class CostChart {
public:
    enum class Quantity {
        PerToken,  ///< FLOPs of each token, coloured by its depth
        Total,     ///< FLOPs so far
        Time,      ///< milliseconds of each token's passes, stacked by recursion
    };

    CostChart(const TraceModel&, const PassTimes&, const Selection&, const Theme&, Quantity);

    void draw(QPainter&, const QRectF& area) const;
    int tokenAt(const QRectF& area, const QPointF&) const;  ///< -1: none

    double top() const { return top_; }  ///< value at the upper edge
    QString topText() const;             ///< "5.7 MFLOP"

private:
    QString nameThatFits(double width) const;  ///< of what is drawn
    QRectF plotIn(const QRectF& area) const;
    double value(int token) const;  ///< of PerToken or Time
    double mean(int from, int to) const;
    double highest() const;
    void drawBars(QPainter&, const QRectF& plot) const;
    void drawThinBars(QPainter&, const QRectF& plot) const;
    void drawTotals(QPainter&, const QRectF& plot) const;
    void drawVanilla(QPainter&, const QRectF& plot) const;
    void drawMarks(QPainter&, const QRectF& plot) const;

    const TraceModel& model_;
    const PassTimes& times_;
    const Selection& selection_;
    const Theme& theme_;
    Quantity quantity_;
    double top_ = 1;
};

}  // namespace mor::ui
