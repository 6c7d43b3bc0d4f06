// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_labels.hpp"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/painting.hpp"
#include "views/kv/kv_curves.hpp"

namespace mor::ui {
namespace {

constexpr double kRow = 18, kIndent = 8, kSample = 24, kSquare = 12, kSpace = 8;

}  // namespace

/// The curves rise from the lower left, so the upper left of the plot is always free.
KvLabels::KvLabels(const TraceModel& model, const KvCurves& curves, const Theme& theme, const QRectF& plot,
                   const QString& saved, const QString& value)
    : model_(model), curves_(curves), theme_(theme), plot_(plot) {
    const auto& frame = theme.frame();
    addRow(
        Sample::Line,
        {TraceModel::tr("vanilla reference (computed)"), TraceModel::tr("vanilla (computed)"), TraceModel::tr("vanilla")},
        theme.caption(), frame.caption);
    addRow(Sample::None, {saved}, theme.title(), frame.text);
    if (!value.isEmpty())
        addRow(Sample::None, {value}, theme.caption(), frame.selection);
    else if (model.recursions() > 0)
        addRow(Sample::Square, {TraceModel::tr("outside the recursions"), TraceModel::tr("outside")}, theme.caption(),
               frame.caption);
    else
        addRow(Sample::Square, {TraceModel::tr("all layers")}, theme.caption(), frame.caption);
}

/// In a small chart the curves leave little room: the first of the texts that fits, whole; none without.
void KvLabels::addRow(Sample sample, const QStringList& texts, const QFont& font, const QColor& ink) {
    const double line = theme_.px(kRow), top = plot_.top() + theme_.px(2) + static_cast<double>(rows_.size()) * line;
    const double free = freeWidth(top + line) - theme_.px(kSpace);
    const double beside = theme_.px(kIndent + kSample + kSpace);
    for (const auto& text : texts) {
        const double width = textWidth(font, text) + 1;
        // Words without a sample align with the others where there is room.
        const double left = sample == Sample::None && beside + width > free ? theme_.px(kIndent) : beside;
        if (left + width > free) continue;
        return rows_.push_back({sample, text, font, ink, {plot_.left() + left, top, width, line}});
    }
}

double KvLabels::freeWidth(double y) const {
    const auto newest = curves_.vanillaLine().last();
    const double height = (plot_.bottom() - y) / plot_.height() * curves_.largestSize();
    if (height >= newest.y() || newest.y() <= 0) return plot_.width();
    return newest.x() * height / newest.y() / curves_.longestToken() * plot_.width();
}

QRectF KvLabels::legend() const {
    QRectF whole;
    for (const auto& row : rows_)
        whole |= row.area.adjusted(row.sample == Sample::None ? 0 : -theme_.px(kSample + kSpace), 0, 0, 0);
    return whole;
}

void KvLabels::draw(QPainter& painter, const Selection& selection) const {
    for (const auto& [token, dashed] : marksOf(selection, 0, model_.tokenCount())) drawMarker(painter, token, dashed);
    drawNumbers(painter);
    for (const auto& row : rows_) drawRow(painter, row);
}

void KvLabels::drawMarker(QPainter& painter, int token, bool dashed) const {
    const double x = std::round(curves_.position(token + 1.0, 0).x());
    const auto words = legend().adjusted(-theme_.px(4), 0, theme_.px(4), theme_.px(2));
    // Above the curves there is nothing to point at: the line begins below the words.
    const double top = x >= words.left() && x <= words.right() ? words.bottom() : plot_.top();
    QPen pen(theme_.frame().selection, theme_.px(2));
    if (dashed) pen.setStyle(Qt::DashLine);
    painter.setPen(pen);
    painter.drawLine(QPointF(x, std::min(top, plot_.bottom())), QPointF(x, plot_.bottom()));
}

/// Which recursion each band is, at its newest end: colour alone would not do.
void KvLabels::drawNumbers(QPainter& painter) const {
    const auto y = [this](int band) { return curves_.position(0, curves_.upperEdge(band).last().y()).y(); };
    const double end = curves_.position(curves_.vanillaLine().last().x(), 0).x();
    const double width = theme_.px(12), height = theme_.px(14), least = theme_.px(9);
    const bool beside = end + width < plot_.right();
    painter.setFont(theme_.caption());
    double highest = plot_.bottom();  // that no other number takes
    for (int band = 1; band < curves_.bands(); ++band) {
        const double bottom = y(band - 1), middle = std::min((y(band) + bottom) / 2, highest - height / 2);
        const double thickness = bottom - y(band);
        // Beside the bands numbers of thin ones move up; within them there is no room for those.
        if (thickness <= 0 || (!beside && thickness < least)) continue;
        highest = middle - least;
        painter.setPen(beside ? theme_.frame().caption : textOn(theme_.depth(band, model_.recursions())));
        drawLine(painter, {beside ? end + theme_.px(4) : end - width, middle - height / 2, width, height},
                 Qt::AlignLeft | Qt::AlignVCenter, QString::number(band));
    }
}

void KvLabels::drawRow(QPainter& painter, const Row& row) const {
    const double left = plot_.left() + theme_.px(kIndent), middle = row.area.center().y();
    if (row.sample == Sample::Line) {
        QPen dashed(theme_.frame().text, 1, Qt::CustomDashLine);
        dashed.setDashPattern({6, 4});
        painter.setPen(dashed);
        painter.drawLine(QPointF(left, middle), QPointF(left + theme_.px(kSample), middle));
    } else if (row.sample == Sample::Square) {
        const double side = theme_.px(kSquare);
        painter.fillRect(QRectF(left + theme_.px(kSample) - side, middle - side / 2, side, side), theme_.frame().neutral);
    }
    painter.setFont(row.font);
    painter.setPen(row.ink);
    drawLine(painter, row.area, Qt::AlignLeft | Qt::AlignVCenter, row.text);
}

}  // namespace mor::ui
