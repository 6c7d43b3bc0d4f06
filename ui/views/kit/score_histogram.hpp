// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>

#include "models/trace_model.hpp"
#include "views/kit/theme.hpp"

class QPainter;

/// The scores of one recursion as a small bar chart from 0 to 1, and the threshold in it as a line to drag.
namespace mor::ui {

struct HistogramMarks {
    double threshold = -1;  ///< orange line; negative: none
    double recorded = -1;   ///< thin grey line where the run had its threshold, when that is another; negative: none
    double score = -1;      ///< triangle of the token looked at; negative: none
};

void drawScoreHistogram(QPainter&, const Theme&, const QRectF& area, const RecursionTally&, const HistogramMarks&);

/// Where a score is in a histogram, and back.
double histogramX(const QRectF& area, double score);
double histogramScore(const QRectF& area, double x);

/// A line is grasped this many pixels left and right of it.
inline constexpr double kGrasp = 5;

}  // namespace mor::ui
