// SPDX-License-Identifier: GPL-3.0-or-later
// The looks of KvChartView: colours of the series, and what is written and marked on top of them.
#include <QGraphicsLayout>
#include <QLocale>
#include <QPainter>
#include <QResizeEvent>
#include <QtCharts/QAreaSeries>
#include <QtCharts/QChart>
#include <QtCharts/QLineSeries>
#include <QtCharts/QValueAxis>
#include <algorithm>
#include <cmath>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/text_lines.hpp"
#include "views/kv/kv_chart_view.hpp"

namespace mor::ui {

void KvChartView::setTheme(const Theme& theme) {
    theme_ = theme;
    applyColours();
    updateGeometry();
    viewport()->update();
}

void KvChartView::applyColours() {
    const auto& frame = theme_.frame();
    setBackgroundBrush(frame.panel);
    chart()->setBackgroundBrush(frame.panel);
    chart()->setBackgroundPen(Qt::NoPen);
    for (auto* axis : {tokens_, bytes_}) {
        axis->setLabelsFont(theme_.caption());
        axis->setLabelsColor(frame.caption);
        axis->setTitleFont(theme_.caption());
        axis->setTitleBrush(frame.caption);
        axis->setLinePen(QPen(frame.line, 1));
        axis->setGridLinePen(QPen(frame.line, 1));
    }
    for (int layer = 0; layer < layers(); ++layer) {
        const auto colour = layer == 0 ? frame.neutral : theme_.depth(layer, model_->recursions());
        auto* area = stacks_[static_cast<std::size_t>(layer)].area;
        area->setBrush(colour);
        const bool faint = contrast(colour, frame.panel) < 1.6;
        area->setPen(faint ? QPen(frame.paleLine, 0) : QPen(colour, 0));  // width 0: cosmetic, one pixel
    }
    QPen dashed(frame.text, 1, Qt::CustomDashLine);
    dashed.setDashPattern({6, 4});
    vanilla_->setPen(dashed);
}

QString KvChartView::emptyText() const {
    if (!model_->hasRun()) return tr("Type a prompt and press Generate: the KV cache grows here, token by token.");
    return model_->tokenCount() == 0 ? tr("Reading the prompt …") : QString();
}

void KvChartView::drawForeground(QPainter* painter, const QRectF&) {
    painter->save();
    if (const auto empty = emptyText(); !empty.isEmpty()) {
        painter->fillRect(sceneRect(), theme_.frame().panel);
        drawEmptyState(*painter, theme_, sceneRect(), empty);
    } else {
        const auto plot = chart()->mapRectToScene(chart()->plotArea());
        for (const int token : {selection_->pinned(), selection_->secondPinned(), selection_->hovered()})
            if (token >= 0 && token < model_->tokenCount())
                drawMarker(*painter, plot, token, token == selection_->secondPinned() && token != selection_->hovered());
        drawNumbers(*painter, plot);
        drawLegend(*painter, plot);
    }
    painter->restore();
}

void KvChartView::drawMarker(QPainter& painter, const QRectF& plot, int token, bool dashed) const {
    const double x = std::round(chart()->mapToScene(chart()->mapToPosition({token + 1.0, 0}, vanilla_)).x());
    QPen pen(theme_.frame().selection, theme_.px(2));
    if (dashed) pen.setStyle(Qt::DashLine);
    painter.setPen(pen);
    painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
}

/// Which recursion each band is, at its newest end: colour alone would not do.
void KvChartView::drawNumbers(QPainter& painter, const QRectF& plot) const {
    const auto y = [this](int layer) {
        return chart()
            ->mapToScene(chart()->mapToPosition(stacks_[static_cast<std::size_t>(layer)].upper->points().last(), vanilla_))
            .y();
    };
    const double end = chart()->mapToScene(chart()->mapToPosition(vanilla_->points().last(), vanilla_)).x();
    const double width = theme_.px(12), height = theme_.px(14), least = theme_.px(9);
    const bool beside = end + width < plot.right();
    painter.setFont(theme_.caption());
    double highest = plot.bottom();  // that no other number takes
    for (int layer = 1; layer < layers(); ++layer) {
        const double bottom = y(layer - 1), middle = std::min((y(layer) + bottom) / 2, highest - height / 2);
        const double thickness = bottom - y(layer);
        // Beside the bands numbers of thin ones move up; within them there is no room for those.
        if (thickness <= 0 || (!beside && thickness < least)) continue;
        highest = middle - least;
        painter.setPen(beside ? theme_.frame().caption : textOn(theme_.depth(layer, model_->recursions())));
        drawLine(painter, {beside ? end + theme_.px(4) : end - width, middle - height / 2, width, height},
                 Qt::AlignLeft | Qt::AlignVCenter, QString::number(layer));
    }
}

/// The curves rise from the lower left, so the upper left of the plot is always free.
void KvChartView::drawLegend(QPainter& painter, const QRectF& plot) const {
    const auto& frame = theme_.frame();
    const double line = theme_.px(18), left = plot.left() + theme_.px(8), sample = theme_.px(24);
    QRectF row(left, plot.top() + theme_.px(2), plot.width(), line);
    painter.setFont(theme_.caption());
    QPen dashed(frame.text, 1, Qt::CustomDashLine);
    dashed.setDashPattern({6, 4});
    painter.setPen(dashed);
    painter.drawLine(QPointF(left, row.center().y()), QPointF(left + sample, row.center().y()));
    const auto room = [&] {
        return std::max(0.0, freeWidth(plot, row.bottom()) - (row.left() - plot.left()) - sample - theme_.px(16));
    };
    const auto text = [&](const QString& words) {
        drawLine(painter, {row.left() + sample + theme_.px(8), row.top(), room(), line}, Qt::AlignLeft | Qt::AlignVCenter,
                 words);
        row.translate(0, line);
    };
    painter.setPen(frame.caption);
    text(tr("vanilla reference (computed)"));
    painter.setFont(theme_.title());
    painter.setPen(frame.text);
    text(savedText());
    painter.setFont(theme_.caption());
    if (const auto value = valueText(); !value.isEmpty()) {
        painter.setPen(frame.selection);
        text(value);
        return;
    }
    // In a low chart the curves leave little room: a shorter name, or none.
    QString name = model_->recursions() > 0 ? tr("outside the recursions") : tr("all layers");
    if (textWidth(theme_.caption(), name) > room() && model_->recursions() > 0) name = tr("outside");
    if (textWidth(theme_.caption(), name) > room()) return;
    painter.fillRect(QRectF(left + sample - theme_.px(12), row.center().y() - theme_.px(6), theme_.px(12), theme_.px(12)),
                     frame.neutral);
    painter.setPen(frame.caption);
    text(name);
}

double KvChartView::freeWidth(const QRectF& plot, double y) const {
    const auto newest = vanilla_->points().last();
    const double height = (plot.bottom() - y) / plot.height() * bytes_->max();
    if (height >= newest.y() || newest.y() <= 0) return plot.width();
    return newest.x() * height / newest.y() / tokens_->max() * plot.width();
}

QString KvChartView::valueText() const {
    const int token = selection_->current();
    if (token < 0 || (selection_->hovered() < 0 && selection_->pinned() < 0)) return {};
    const auto size = [this](double bytes) { return QLocale().toString(bytes / divisor_, 'f', 1); };
    return tr("token %1: %2 of %3 %4")
        .arg(token)
        .arg(size(heldBytes(token)), size(static_cast<double>(model_->token(token).kv.vanilla)), unit_);
}

void KvChartView::drawInto(QPainter& painter, const QRectF& area) const {
    // A chart is as large as its widget, so another size needs another chart.
    KvChartView copy(model_, selection_);
    copy.setTheme(theme_);
    copy.setQuantity(quantity_);
    copy.resize(area.size().toSize());
    copy.chart()->resize(area.size());
    copy.scene()->setSceneRect(QRectF(QPointF(), area.size()));
    copy.chart()->layout()->activate();
    copy.render(&painter, area, copy.rect());
}

}  // namespace mor::ui
