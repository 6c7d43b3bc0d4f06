// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/heatmap_painter.hpp"

#include <QLocale>
#include <QPainter>
#include <QRegion>
#include <algorithm>
#include <cmath>

#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/heatmap/heatmap_annotations.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/score_histogram.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

QRectF snapped(const QRectF& area) {
    const double left = std::round(area.left()), top = std::round(area.top());
    return {left, top, std::round(area.right()) - left, std::round(area.bottom()) - top};
}

}  // namespace

HeatmapPainter::HeatmapPainter(const TraceModel& model, const Selection& selection, const Theme& theme,
                               const HeatColours& colours, const Colouring& colouring)
    : model_(model), selection_(selection), theme_(theme), colours_(colours), colouring_(colouring) {}

void HeatmapPainter::draw(QPainter& painter, const HeatmapLayout& layout) const {
    drawRowNames(painter, layout);
    painter.save();
    painter.setClipRect(layout.cells.adjusted(-1, 0, 1, 0));
    if (layout.grid.columnWidth < kImageColumn)
        drawImage(painter, layout);
    else
        drawCells(painter, layout);
    drawAnnotations(painter, model_, theme_, layout, overlay_, estimate_);
    painter.restore();
    if (layout.grid.columnWidth < theme_.px(kNamedColumn))
        drawPositions(painter, layout);
    else
        drawTokenNames(painter, layout);
    drawSelection(painter, layout);
    drawHistograms(painter, layout);
}

bool HeatmapPainter::isWanted(const QRectF& area) const { return !dirty_ || dirty_->intersects(area.toAlignedRect()); }

void HeatmapPainter::drawRowNames(QPainter& painter, const HeatmapLayout& layout) const {
    if (!isWanted(layout.rowNames)) return;
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    // Where rows are lower than the type, only some are named.
    const int stride = static_cast<int>(std::ceil(theme_.px(14) / layout.grid.rowHeight));
    for (int r = 0; r < layout.grid.rows; r += stride) {
        const auto row = layout.grid.cell(0, r);
        const QRectF name(layout.rowNames.left(), row.center().y() - theme_.px(8), layout.rowNames.width(), theme_.px(16));
        drawLine(painter, name, Qt::AlignRight | Qt::AlignVCenter,
                 model_.recursions() > 0 ? TraceModel::tr("recursion %1").arg(r + 1) : TraceModel::tr("all layers"));
    }
}

void HeatmapPainter::drawCells(QPainter& painter, const HeatmapLayout& layout) const {
    for (int column = layout.first; column < layout.end; ++column) {
        if (!isWanted(layout.grid.column(column).adjusted(-1, 0, 1, 0))) continue;
        for (int r = 0; r < layout.grid.rows; ++r)
            drawCell(painter, heatCell(model_, colours_, colouring_, column, r), snapped(layout.grid.cell(column, r)));
    }
}

void HeatmapPainter::drawCell(QPainter& painter, const HeatCell& cell, const QRectF& area) const {
    const QRectF inner = area.adjusted(0, 0, -1, -1);  // a hair of the panel between cells
    painter.fillRect(inner, cell.ground);
    if (cell.fill > 0) {
        const double height = std::round(cell.fill * inner.height());
        painter.fillRect(QRectF(inner.left(), inner.bottom() - height, inner.width(), height), cell.colour);
    }
    if (cell.tick >= 0) {
        const double y = std::round(inner.bottom() - cell.tick * inner.height());
        const double thickness = std::max(1.0, std::round(theme_.px(1.5)));
        painter.fillRect(QRectF(inner.left(), y - thickness / 2, std::min(theme_.px(6), inner.width() / 3), thickness),
                         theme_.frame().selection);
    }
    if (area.width() >= theme_.px(12) && area.height() >= theme_.px(12)) drawGlyph(painter, cell, inner.center());
}

void HeatmapPainter::drawGlyph(QPainter& painter, const HeatCell& cell, const QPointF& centre) const {
    if (cell.glyph == CellGlyph::None) return;
    const double radius = theme_.px(cell.glyph == CellGlyph::Continue ? 4 : 3.5);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    // Filled glyphs have a rim of the cell's colour, so that they stay whole where the fill ends behind them.
    const bool filled = cell.glyph == CellGlyph::Continue || cell.glyph == CellGlyph::Chosen;
    painter.setPen(filled ? QPen(cell.fill >= 0.5 ? cell.colour : cell.ground, theme_.px(1))
                          : QPen(cell.glyphColour, theme_.px(1.4)));
    painter.setBrush(filled ? QBrush(cell.glyphColour) : Qt::NoBrush);
    if (cell.glyph == CellGlyph::Chosen) {
        const double d = theme_.px(4.5);
        painter.drawPolygon(
            QPolygonF{centre - QPointF(0, d), centre + QPointF(d, 0), centre + QPointF(0, d), centre - QPointF(d, 0)});
    } else {
        painter.drawEllipse(centre, radius, radius);
    }
    if (cell.glyph == CellGlyph::KvOnly) {  // ◐: the left half is kept
        painter.setBrush(cell.glyphColour);
        painter.drawPie(QRectF(centre - QPointF(radius, radius), QSizeF(2 * radius, 2 * radius)), 90 * 16, 180 * 16);
    }
    painter.restore();
}

void HeatmapPainter::drawImage(QPainter& painter, const HeatmapLayout& layout) const {
    if (layout.end <= layout.first) return;
    HeatmapImage own;
    auto& cells = image_ ? *image_ : own;
    cells.update(model_, colours_, colouring_, layout.end);
    const QRect columns(layout.first, 0, layout.end - layout.first, cells.image().height());
    const QRectF first = layout.grid.column(layout.first), last = layout.grid.column(layout.end - 1);
    const QRectF area(first.topLeft(), last.bottomRight());
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    if (layout.grid.columnWidth >= 1)
        painter.drawImage(area, cells.image(), columns);
    else  // several columns on one pixel: their mean, so that none disappears
        painter.drawImage(
            area, cells.image().copy(columns).scaled(std::max(1, static_cast<int>(std::lround(area.width()))),
                                                     columns.height(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
    // A column is too narrow for its own tick: the threshold becomes a line across each row.
    const double threshold = thresholdOf(model_);
    for (int r = 0; r < layout.grid.rows; ++r) {
        const auto row = layout.grid.cell(0, r);
        painter.fillRect(QRectF(first.left(), row.bottom() - 1, last.right() - first.left(), 1), theme_.frame().panel);
        if (threshold < 0) continue;
        const double y = std::round(row.bottom() - threshold * row.height());
        painter.fillRect(QRectF(first.left() - theme_.px(4), y, theme_.px(4), theme_.px(1.5)), theme_.frame().selection);
    }
}

void HeatmapPainter::drawTokenNames(QPainter& painter, const HeatmapLayout& layout) const {
    painter.save();
    painter.setFont(theme_.caption());
    painter.setClipRect(QRectF(QPointF(layout.rowNames.left(), layout.tokenNames.top()), layout.tokenNames.bottomRight()));
    const double length = (layout.tokenNames.height() - theme_.px(8)) / std::sin(kNamesTilt * M_PI / 180);
    const double height = theme_.px(16);
    for (int column = layout.first; column < layout.end; ++column) {
        const double middle = layout.grid.column(column).center().x(), reach = namesReach(theme_);
        if (!isWanted({middle - reach, layout.tokenNames.top(), 2 * reach, layout.tokenNames.height()})) continue;
        const bool marked = selection_.isMarked(column);
        painter.setPen(marked ? theme_.frame().selection : theme_.frame().text);
        const auto name = visible(tokenName(model_, column));
        painter.save();
        painter.translate(middle + theme_.px(4), layout.tokenNames.top() + theme_.px(4));
        painter.rotate(-kNamesTilt);
        drawLine(painter, {-length, -height / 2, length, height}, Qt::AlignRight | Qt::AlignVCenter, name);
        painter.restore();
    }
    painter.restore();
}

void HeatmapPainter::drawPositions(QPainter& painter, const HeatmapLayout& layout) const {
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const double width = theme_.px(64);
    const int step = std::max(1, static_cast<int>(niceStep(layout.cells.width() / layout.grid.columnWidth,
                                                           std::max(1, static_cast<int>(layout.cells.width() / width)))));
    for (int column = (layout.first + step - 1) / step * step; column < layout.end; column += step) {
        const double x = std::round(layout.grid.column(column).center().x());
        painter.fillRect(QRectF(x, layout.tokenNames.top(), 1, theme_.px(4)), theme_.frame().paleLine);
        drawLine(painter, {x - width / 2, layout.tokenNames.top() + theme_.px(4), width, theme_.px(16)}, Qt::AlignCenter,
                 countText(column));
    }
}

void HeatmapPainter::drawSelection(QPainter& painter, const HeatmapLayout& layout) const {
    painter.save();
    painter.setClipRect(layout.cells.adjusted(-2, -2, 2, 2));
    painter.setBrush(Qt::NoBrush);
    for (const auto& [token, dashed] : marksOf(selection_, layout.first, layout.end)) {
        auto column = snapped(layout.grid.column(token)).adjusted(-1, 0, 0, 0);
        const double least = theme_.px(4);
        if (column.width() < least) column.adjust(-(least - column.width()) / 2, 0, (least - column.width()) / 2, 0);
        QPen pen(theme_.frame().selection, theme_.px(2));
        pen.setJoinStyle(Qt::MiterJoin);
        if (dashed) pen.setStyle(Qt::DashLine);
        painter.setPen(pen);
        painter.drawRect(column);
    }
    painter.restore();
}

void HeatmapPainter::drawHistograms(QPainter& painter, const HeatmapLayout& layout) const {
    const auto scale = layout.histograms.adjusted(0, 0, 0, layout.tokenNames.height());  // below the last row
    if (!model_.isRouted() || layout.histograms.isEmpty() || !isWanted(scale)) return;
    const int token = selection_.current();
    for (int r = 0; r < layout.grid.rows; ++r) {
        HistogramMarks marks;
        marks.recorded = thresholdOf(model_);
        marks.threshold = estimate_ && estimate_->isActive() ? estimate_->threshold() : marks.recorded;
        const auto decision = model_.decision(token, r);
        if (decision && std::isfinite(decision->score)) marks.score = decision->score;
        drawScoreHistogram(painter, theme_, histogramOf(layout, r), model_.tallies()[static_cast<std::size_t>(r)], marks);
    }
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const QRectF axis(layout.histograms.left(), layout.histograms.bottom() + theme_.px(8), layout.histograms.width(),
                      theme_.px(16));
    drawLine(painter, axis, Qt::AlignLeft, QStringLiteral("0"));
    drawLine(painter, axis, Qt::AlignHCenter, TraceModel::tr("score, all tokens"));
    drawLine(painter, axis, Qt::AlignRight, QStringLiteral("1"));
    if (colouring_.by != ColourBy::Depth) drawRamp(painter, axis.translated(0, theme_.px(24)));
}

void HeatmapPainter::drawRamp(QPainter& painter, const QRectF& area) const {
    const double step = area.width() / static_cast<double>(colours_.ramp.size());
    for (std::size_t i = 0; i < colours_.ramp.size(); ++i)
        painter.fillRect(QRectF(area.left() + static_cast<double>(i) * step, area.top(), step + 1, theme_.px(4)),
                         colours_.ramp[i]);
    const QRectF text = area.translated(0, theme_.px(4));
    const auto number = [](double value) {
        return QLocale().toString(value, 'g', 3).replace(QLatin1Char('-'), QChar(0x2212));
    };
    drawLine(painter, text, Qt::AlignLeft, number(colouring_.least));
    drawLine(painter, text, Qt::AlignHCenter, rampName(colouring_.by));
    drawLine(painter, text, Qt::AlignRight, number(colouring_.most));
}

}  // namespace mor::ui
