// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_curves.hpp"

#include <QtCharts/QAreaSeries>
#include <QtCharts/QLineSeries>
#include <QtCharts/QValueAxis>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "views/kit/geometry.hpp"
#include "views/kit/text_lines.hpp"

namespace mor::ui {
namespace {

constexpr double kFewestTokens = 16;
constexpr double kTitledHeight = 120;  // lower charts have room for the numbers of the axis only
constexpr double kTolerance = 0.5;     // pixels that a curve may be off

/// Only what changed: every property of an axis lays the chart out again.
void setAxis(QValueAxis* axis, double end, double step) {
    if (axis->max() == end && axis->tickInterval() == step) return;
    axis->setLabelFormat(QStringLiteral("%.%1f").arg(step < 1 ? 2 : step != std::floor(step) ? 1 : 0));
    // A long range with a short interval, if only in between, would make labels by the thousand.
    if (end > axis->max()) axis->setTickInterval(step);
    axis->setRange(0, end);
    axis->setTickInterval(step);
}

}  // namespace

KvCurves::KvCurves(const TraceModel& model, QChart* chart) : model_(model), chart_(chart) { makeAxes(); }

void KvCurves::makeAxes() {
    tokens_ = new QValueAxis(chart_);
    bytes_ = new QValueAxis(chart_);
    chart_->addAxis(tokens_, Qt::AlignBottom);
    chart_->addAxis(bytes_, Qt::AlignLeft);
    for (auto* axis : {tokens_, bytes_}) {
        axis->setTickType(QValueAxis::TicksDynamic);
        axis->setTickAnchor(0);
        axis->setMinorTickCount(0);
    }
    tokens_->setGridLineVisible(false);
    tokens_->setLabelFormat(QStringLiteral("%.0f"));
    bytes_->setLineVisible(false);
    tokens_->setTitleText(TraceModel::tr("tokens"));
}

void KvCurves::rebuild() {
    chart_->removeAllSeries();  // deletes the series; the lines of areas stay ours
    for (const auto& stack : stacks_) delete stack.upper;
    stacks_.clear();
    QLineSeries* below = nullptr;
    for (int band = 0; band <= model_.recursions(); ++band) {
        auto* upper = new QLineSeries(chart_);
        stacks_.push_back({new QAreaSeries(upper, below), upper});
        below = upper;
    }
    vanilla_ = new QLineSeries;
    for (const auto& stack : stacks_) chart_->addSeries(stack.area);
    chart_->addSeries(vanilla_);
    for (auto* series : chart_->series()) {
        series->attachAxis(tokens_);
        series->attachAxis(bytes_);
    }
    setTheme(theme_);
}

void KvCurves::setTheme(const Theme& theme) {
    theme_ = theme;
    const auto& frame = theme_.frame();
    chart_->setBackgroundBrush(frame.panel);
    chart_->setBackgroundPen(Qt::NoPen);
    for (auto* axis : {tokens_, bytes_}) {
        axis->setLabelsFont(theme_.caption());
        axis->setLabelsColor(frame.caption);
        axis->setTitleFont(theme_.caption());
        axis->setTitleBrush(frame.caption);
        axis->setLinePen(QPen(frame.line, 1));
        axis->setGridLinePen(QPen(frame.line, 1));
    }
    for (int band = 0; band < bands(); ++band) {
        const auto colour = band == 0 ? frame.neutral : theme_.depth(band, bands() - 1);
        auto* area = stacks_[static_cast<std::size_t>(band)].area;
        area->setBrush(colour);
        const bool faint = contrast(colour, frame.panel) < 1.6;
        area->setPen(faint ? QPen(frame.paleLine, 0) : QPen(colour, 0));  // width 0: cosmetic, one pixel
    }
    if (!vanilla_) return;
    QPen dashed(frame.text, 1, Qt::CustomDashLine);
    dashed.setDashPattern({6, 4});
    vanilla_->setPen(dashed);
}

const std::vector<std::int64_t>& KvCurves::parts(int token) const {
    const auto& kv = model_.token(token).kv;
    return quantity_ == KvQuantity::Used ? kv.used : kv.reserved;
}

double KvCurves::heldBytes(int token) const {
    const auto& bytes = parts(token);
    return static_cast<double>(std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0}));
}

double KvCurves::largestBytes() const {
    const int last = model_.tokenCount() - 1;
    return last < 0 ? 0 : std::max(heldBytes(last), static_cast<double>(model_.token(last).kv.vanilla));
}

void KvCurves::fitAxes(const KvCurves* other) {
    const int count = std::max(model_.tokenCount(), other ? other->model_.tokenCount() : 0);
    const double largest = std::max(largestBytes(), other ? other->largestBytes() : 0);
    const auto scale = byteUnit(std::max(largest, 1024.0));
    divisor_ = scale.divisor;
    unit_ = scale.name;
    // Both ends grow in steps, so that the picture stands still while tokens arrive.
    const double columns = std::max(kFewestTokens, niceBinaryStep(count, 1));
    // Labels closer to each other than they are long would be cut.
    const auto room = chart_->size();
    tokens_->setTitleVisible(room.height() >= theme_.px(kTitledHeight));
    const auto steps = [](double pixels, double each, int most) {
        return std::clamp(static_cast<int>(pixels / each), 1, most);
    };
    const double wide = textWidth(theme_.caption(), countText(static_cast<int>(columns))) + theme_.px(20);
    setAxis(tokens_, columns, std::max(1.0, niceBinaryStep(columns, steps(room.width() - theme_.px(64), wide, 6))));
    const double height = std::max(1.0, largest / divisor_);
    const double step = niceBinaryStep(height, steps(room.height() - theme_.px(44), theme_.px(22), 4));
    setAxis(bytes_, niceCeiling(height, step), step);
}

void KvCurves::fill(const KvCurves* other) {
    fitAxes(other);
    // Curves that only rise need no more than a point every four pixels.
    const int most = std::clamp(static_cast<int>(chart_->plotArea().width() / 4), 60, kMostPoints);
    const auto kept = decimate(model_.tokenCount(), most - 1);
    std::vector<QList<QPointF>> edges(stacks_.size(), {QPointF(0, 0)});
    QList<QPointF> reference{QPointF(0, 0)};
    for (const int token : kept) {
        const auto& bytes = parts(token);
        double sum = 0;
        for (std::size_t band = 0; band < edges.size(); ++band) {
            if (band < bytes.size()) sum += static_cast<double>(bytes[band]);
            edges[band].append({token + 1.0, sum / divisor_});
        }
        reference.append({token + 1.0, static_cast<double>(model_.token(token).kv.vanilla) / divisor_});
    }
    // Qt Charts strokes every point anew, and curves of running sums are nearly straight.
    const double tolerance = kTolerance * bytes_->max() / std::max(1.0, chart_->plotArea().height());
    for (std::size_t band = 0; band < edges.size(); ++band) {
        const auto& [area, upper] = stacks_[band];
        upper->replace(simplify(edges[band], tolerance));
        // A band of nothing would still be a line.
        area->setVisible(edges[band].last().y() > (band == 0 ? 0 : edges[band - 1].last().y()));
    }
    vanilla_->replace(simplify(reference, tolerance));
}

QList<QPointF> KvCurves::upperEdge(int band) const { return stacks_.at(static_cast<std::size_t>(band)).upper->points(); }

QList<QPointF> KvCurves::vanillaLine() const { return vanilla_->points(); }

bool KvCurves::isShown(int band) const { return stacks_.at(static_cast<std::size_t>(band)).area->isVisible(); }

QPointF KvCurves::position(double tokens, double size) const {
    return chart_->mapToScene(chart_->mapToPosition({tokens, size}, vanilla_));
}

double KvCurves::tokensAt(const QPointF& inChart) const { return chart_->mapToValue(inChart, vanilla_).x(); }

double KvCurves::longestToken() const { return tokens_->max(); }

double KvCurves::largestSize() const { return bytes_->max(); }

}  // namespace mor::ui
