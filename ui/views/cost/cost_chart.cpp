// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/cost/cost_chart.hpp"

#include <QPainter>
#include <QPolygonF>
#include <algorithm>
#include <cmath>
#include <vector>

#include "models/pass_times.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kLabel = 16, kWidestBar = 24;
constexpr double kUsual = 0.98;  // of the tokens' times; a hiccup of the machine may leave the chart
constexpr double kHeadroom = 1.1;
constexpr double kFaint = 1.6;  // contrast

}  // namespace

CostChart::CostChart(const TraceModel& model, const PassTimes& times, const Selection& selection, const Theme& theme,
                     Quantity quantity)
    : model_(model), times_(times), selection_(selection), theme_(theme), quantity_(quantity), top_(highest()) {}

double CostChart::value(int token) const {
    return quantity_ == Quantity::Time ? times_.total(token) : static_cast<double>(model_.token(token).flops);
}

double CostChart::highest() const {
    const int count = model_.tokenCount();
    if (count == 0) return 1;
    if (quantity_ == Quantity::Total)
        return std::max(1.0, static_cast<double>(std::max(model_.flops(), model_.flopsVanilla())));
    if (quantity_ == Quantity::PerToken)
        return model_.flopsMost() > 0 ? static_cast<double>(model_.flopsMost()) * kHeadroom : 1;
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(count));
    for (int token = 0; token < count; ++token) values.push_back(value(token));
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(kUsual * static_cast<double>(count - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place > 0 ? *place * kHeadroom : 1;
}

double CostChart::mean(int from, int to) const {
    double sum = 0;
    if (quantity_ == Quantity::PerToken)
        sum = model_.flopsBefore(to) - model_.flopsBefore(from);
    else
        for (int token = from; token < to; ++token) sum += value(token);
    return sum / (to - from);
}

QString CostChart::topText() const {
    return quantity_ == Quantity::Time ? durationText(top_) : siText(top_) + QStringLiteral("FLOP");
}

QString CostChart::nameThatFits(double width) const {
    const auto what = quantity_ == Quantity::Time       ? TraceModel::tr("time per token")
                      : quantity_ == Quantity::PerToken ? TraceModel::tr("FLOPs per token, - - vanilla")
                                                        : TraceModel::tr("FLOPs so far, - - vanilla");
    if (quantity_ != Quantity::Time || model_.recursions() == 0) return what;
    const auto whole = TraceModel::tr("time per token, recursions upwards");
    return textWidth(theme_.caption(), whole) <= width ? whole : what;
}

QRectF CostChart::plotIn(const QRectF& area) const { return area.adjusted(0, theme_.px(kLabel), 0, -1); }

int CostChart::tokenAt(const QRectF& area, const QPointF& point) const {
    const auto plot = plotIn(area);
    if (!plot.contains(point) || model_.tokenCount() == 0) return -1;
    const double bar = std::min(plot.width() / model_.tokenCount(), theme_.px(kWidestBar));
    const int token = static_cast<int>((point.x() - plot.left()) / bar);
    return token < model_.tokenCount() ? token : -1;
}

void CostChart::draw(QPainter& painter, const QRectF& area) const {
    const auto plot = plotIn(area);
    painter.save();
    painter.fillRect(QRectF(plot.left(), plot.bottom(), plot.width(), 1), theme_.frame().line);
    if (model_.tokenCount() > 0) {
        painter.setClipRect(plot.adjusted(-1, 0, 1, 1));
        const double bar = plot.width() / model_.tokenCount();
        if (quantity_ == Quantity::Total)
            drawTotals(painter, plot);
        else if (bar >= 2)
            drawBars(painter, plot);
        else
            drawThinBars(painter, plot);
        if (quantity_ != Quantity::Time) drawVanilla(painter, plot);
        drawMarks(painter, plot);
        painter.setClipping(false);
    }
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const QRectF label(area.left(), area.top(), area.width(), theme_.px(kLabel));
    const auto top = model_.tokenCount() > 0 ? TraceModel::tr("top %1").arg(topText()) : QString();
    drawLine(painter, label, Qt::AlignRight | Qt::AlignVCenter, top);
    const double room = label.width() - textWidth(theme_.caption(), top) - theme_.px(8);
    drawLine(painter, label, Qt::AlignLeft | Qt::AlignVCenter, nameThatFits(room));
    painter.restore();
}

void CostChart::drawBars(QPainter& painter, const QRectF& plot) const {
    const double bar = std::min(plot.width() / model_.tokenCount(), theme_.px(kWidestBar));
    const int recursions = model_.recursions();
    std::vector<bool> faint;  // by depth: what a dark ground would swallow; bright bars look hollow with a rim
    for (int depth = 0; depth <= recursions; ++depth)
        faint.push_back(recursions > 0 &&
                        (depth == 0 || (theme_.appearance == Appearance::Dark &&
                                        contrast(theme_.depth(depth, recursions), theme_.frame().panel) < kFaint)));
    for (int token = 0; token < model_.tokenCount(); ++token) {
        const double left = std::round(plot.left() + token * bar), right = std::round(plot.left() + (token + 1) * bar) - 1;
        double bottom = plot.bottom();
        const auto stack = [&](double amount, const QColor& colour, bool pale) {
            // Not every kind of picture can clip.
            const double height = std::min(amount / top_ * plot.height(), bottom - plot.top());
            const QRectF area(left, bottom - height, std::max(1.0, right - left), height);
            painter.fillRect(area, colour);
            if (pale && area.width() > 2) {
                painter.setPen(theme_.frame().paleLine);
                painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5));
            }
            bottom -= height;
        };
        if (quantity_ == Quantity::Time) {
            const auto parts = times_.of(token);
            for (std::size_t part = 0; part < parts.size(); ++part)
                stack(parts[part], part == 0 ? theme_.frame().neutral : theme_.depth(static_cast<int>(part), recursions),
                      part > 0 && faint[part]);
        } else {
            const int depth = model_.token(token).depth;
            stack(value(token), recursions == 0 ? theme_.frame().neutral : theme_.depth(depth, recursions),
                  faint[static_cast<std::size_t>(std::clamp(depth, 0, recursions))]);
        }
    }
}

/// Several tokens on one pixel: their mean, in grey, since a mean of depths is no depth.
void CostChart::drawThinBars(QPainter& painter, const QRectF& plot) const {
    const int count = model_.tokenCount(), pixels = std::max(1, static_cast<int>(plot.width()));
    for (int x = 0; x < pixels; ++x) {
        const int from = static_cast<int>(std::int64_t{x} * count / pixels);
        const int to = std::max(from + 1, static_cast<int>(std::int64_t{x + 1} * count / pixels));
        const double height = std::min(mean(from, to) / top_, 1.0) * plot.height();
        painter.fillRect(QRectF(plot.left() + x, plot.bottom() - height, 1, height), theme_.frame().neutral);
    }
}

void CostChart::drawTotals(QPainter& painter, const QRectF& plot) const {
    const int count = model_.tokenCount();
    const double bar = std::min(plot.width() / count, theme_.px(kWidestBar));
    QPolygonF spent{plot.bottomLeft()};
    double sum = 0;
    for (int token = 0; token < count; ++token) {
        sum += static_cast<double>(model_.token(token).flops);
        spent.append({plot.left() + (token + 1) * bar, plot.bottom() - sum / top_ * plot.height()});
    }
    spent.append({plot.left() + count * bar, plot.bottom()});
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme_.frame().neutral);
    painter.drawPolygon(spent);
}

void CostChart::drawVanilla(QPainter& painter, const QRectF& plot) const {
    const int count = model_.tokenCount();
    const double bar = std::min(plot.width() / count, theme_.px(kWidestBar));
    QPolygonF line;
    double sum = 0;
    for (int token = 0; token < count; ++token) {
        const auto vanilla = static_cast<double>(model_.token(token).flops_vanilla);
        sum += vanilla;
        const double height = (quantity_ == Quantity::Total ? sum : vanilla) / top_ * plot.height();
        line.append({plot.left() + (token + (quantity_ == Quantity::Total ? 1.0 : 0.5)) * bar, plot.bottom() - height});
    }
    QPen dashed(theme_.frame().text, 1, Qt::CustomDashLine);
    dashed.setDashPattern({6, 4});
    painter.setPen(dashed);
    painter.setBrush(Qt::NoBrush);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.drawPolyline(line);
}

void CostChart::drawMarks(QPainter& painter, const QRectF& plot) const {
    const double bar = std::min(plot.width() / model_.tokenCount(), theme_.px(kWidestBar));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setBrush(Qt::NoBrush);
    for (const auto& [token, dashed] : marksOf(selection_, 0, model_.tokenCount())) {
        QPen pen(theme_.frame().selection, theme_.px(1.5));
        if (dashed) pen.setStyle(Qt::DashLine);
        painter.setPen(pen);
        const double width = std::max(bar, theme_.px(3));
        painter.drawRect(QRectF(plot.left() + (token + 0.5) * bar - width / 2, plot.top(), width - 1, plot.height()));
    }
}

}  // namespace mor::ui
