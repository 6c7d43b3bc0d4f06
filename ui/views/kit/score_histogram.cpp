// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/score_histogram.hpp"

#include <QPainter>
#include <QPolygonF>
#include <algorithm>
#include <cmath>

namespace mor::ui {
namespace {

void drawBins(QPainter& painter, const Theme& theme, const QRectF& area, const RecursionTally& tally) {
    const int largest = std::max(1, *std::max_element(tally.histogram.begin(), tally.histogram.end()));
    const double width = area.width() / RecursionTally::kBins;
    const double bottom = std::round(area.bottom());
    painter.fillRect(QRectF(area.left(), bottom, area.width(), 1), theme.frame().line);
    for (std::size_t i = 0; i < tally.histogram.size(); ++i) {
        if (tally.histogram[i] == 0) continue;
        // One token among thousands is still one pixel.
        const double height = std::max(1.0, std::round(area.height() * tally.histogram[i] / largest));
        const double left = std::round(area.left() + static_cast<double>(i) * width);
        const double right = std::round(area.left() + static_cast<double>(i + 1) * width) - 1;
        painter.fillRect(QRectF(left, bottom - height, std::max(1.0, right - left), height), theme.frame().neutral);
    }
}

}  // namespace

double histogramX(const QRectF& area, double score) { return area.left() + score * area.width(); }

double histogramScore(const QRectF& area, double x) { return std::clamp((x - area.left()) / area.width(), 0.0, 1.0); }

void drawScoreHistogram(QPainter& painter, const Theme& theme, const QRectF& area, const RecursionTally& tally,
                        const HistogramMarks& marks) {
    drawBins(painter, theme, area, tally);
    const auto line = [&](double score, double thickness, const QColor& colour) {
        painter.fillRect(QRectF(std::round(histogramX(area, score)) - 1, area.top(), thickness, area.height()), colour);
    };
    if (marks.recorded >= 0 && marks.recorded != marks.threshold) line(marks.recorded, 1, theme.frame().caption);
    if (marks.threshold >= 0) line(marks.threshold, theme.px(1.5), theme.frame().selection);
    if (marks.score < 0) return;
    const QPointF tip(histogramX(area, std::clamp(marks.score, 0.0, 1.0)), std::round(area.bottom()) - theme.px(1));
    const double size = theme.px(5);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.frame().panel, 1));
    painter.setBrush(theme.frame().selection);
    painter.drawPolygon(QPolygonF{tip, tip + QPointF(size, size * 1.6), tip + QPointF(-size, size * 1.6)});
    painter.restore();
}

}  // namespace mor::ui
