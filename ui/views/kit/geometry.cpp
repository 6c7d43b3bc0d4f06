// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mor::ui {

QRectF CellGrid::cell(int index, int recursion) const {
    return {left + index * columnWidth, top + (rows - 1 - recursion) * rowHeight, columnWidth, rowHeight};
}

QRectF CellGrid::column(int index) const { return {left + index * columnWidth, top, columnWidth, height()}; }

int CellGrid::columnAt(double x) const { return static_cast<int>(std::floor((x - left) / columnWidth)); }

int CellGrid::rowAt(double y) const {
    const int fromTop = static_cast<int>(std::floor((y - top) / rowHeight));
    return fromTop < 0 || fromTop >= rows ? -1 : rows - 1 - fromTop;
}

void FlowLayout::reset(const FlowMetrics& metrics) {
    metrics_ = metrics;
    boxes_.clear();
    word_ = 0;
    x_ = y_ = 0;
    pendingBreak_ = false;
}

void FlowLayout::breakLine() {
    x_ = 0;
    y_ += metrics_.lineHeight;
}

void FlowLayout::add(const FlowItem& item) {
    if (std::exchange(pendingBreak_, false)) {
        breakLine();
        word_ = boxes_.size();
    } else if (item.startsWord && !boxes_.empty()) {
        x_ += metrics_.wordGap;
        word_ = boxes_.size();
    }
    if (x_ > 0 && x_ + item.width > metrics_.width) {
        // The word moves to the next line as a whole, unless it began at this line's left edge.
        const bool whole = word_ < boxes_.size() && boxes_[word_].left() > 0;
        const double shift = whole ? boxes_[word_].left() : x_;
        const double wordWidth = x_ - shift;
        breakLine();
        if (whole)
            for (auto i = word_; i < boxes_.size(); ++i) boxes_[i].translate(-shift, metrics_.lineHeight);
        x_ = whole ? wordWidth : 0;
        if (x_ > 0 && x_ + item.width > metrics_.width) {
            breakLine();
            word_ = boxes_.size();
        }
    }
    boxes_.emplace_back(x_, y_, item.width, metrics_.boxHeight);
    x_ += item.width;
    pendingBreak_ = item.endsLine;
}

double FlowLayout::height() const { return boxes_.empty() ? 0 : boxes_.back().top() + metrics_.lineHeight; }

int FlowLayout::firstBelow(double y) const {
    const auto found = std::partition_point(boxes_.begin(), boxes_.end(),
                                            [&](const QRectF& box) { return box.top() + metrics_.lineHeight <= y; });
    return static_cast<int>(found - boxes_.begin());
}

int FlowLayout::at(const QPointF& point) const {
    for (int i = firstBelow(point.y()); i < count() && box(i).top() <= point.y(); ++i) {
        const QRectF& area = box(i);
        if (point.x() >= area.left() && point.x() < area.right()) return i;
    }
    return -1;
}

double niceStep(double range, int mostSteps) {
    if (!(range > 0) || mostSteps < 1) return 1;
    const double rough = range / mostSteps;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= rough * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

double niceBinaryStep(double range, int mostSteps) {
    if (!(range > 0) || mostSteps < 1) return 1;
    const double rough = range / mostSteps;
    const double power = std::pow(2.0, std::floor(std::log2(rough)));
    for (const double factor : {1.0, 1.5})
        if (factor * power >= rough * (1 - 1e-9)) return factor * power;
    return 2 * power;
}

double niceCeiling(double value, double step) {
    return step > 0 ? std::max(1.0, std::ceil(value / step - 1e-9)) * step : value;
}

std::vector<int> decimate(int count, int most) {
    std::vector<int> kept;
    if (count <= 0 || most < 2) return kept;
    const int points = std::min(count, most);
    kept.reserve(static_cast<std::size_t>(points));
    for (int i = 0; i < points; ++i)
        kept.push_back(points == 1 ? 0 : static_cast<int>(std::int64_t{i} * (count - 1) / (points - 1)));
    return kept;
}

QList<QPointF> simplify(const QList<QPointF>& curve, double tolerance) {
    if (curve.size() < 3) return curve;
    QList<QPointF> kept{curve.first()};
    // The slopes of lines from the last kept point that pass by all points since.
    double least = -HUGE_VAL, most = HUGE_VAL;
    for (qsizetype i = 1; i < curve.size(); ++i) {
        const auto slope = [&](double offset) {
            const auto way = curve[i] - kept.last();
            return (way.y() + offset) / way.x();
        };
        if (const double straight = slope(0); straight < least || straight > most) {
            kept.append(curve[i - 1]);
            least = -HUGE_VAL;
            most = HUGE_VAL;
        }
        least = std::max(least, slope(-tolerance));
        most = std::min(most, slope(tolerance));
    }
    kept.append(curve.last());
    return kept;
}

}  // namespace mor::ui
