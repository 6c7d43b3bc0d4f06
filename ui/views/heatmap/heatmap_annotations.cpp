// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/heatmap_annotations.hpp"

#include <QPainter>
#include <QPolygonF>
#include <algorithm>

#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/heatmap/heatmap_painter.hpp"

namespace mor::ui {
namespace {

/// What another threshold would change: a ring around the cell's glyph, filled where the token would go on, empty where
/// it would leave, a question mark where its score was never computed. Narrow columns get a mark below instead.
void drawForeseen(QPainter& painter, const TraceModel& model, const Theme& theme, const HeatmapLayout& layout,
                  const ThresholdEstimate& estimate) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme.title());
    const bool wide = layout.grid.columnWidth >= theme.px(12);
    const double radius = theme.px(7);
    for (int column = layout.first; column < std::min(layout.end, model.tokenCount()); ++column) {
        const auto fate = estimate.fate(column);
        const int recorded = model.token(column).depth;
        if (!fate.unknown && fate.depth == recorded) continue;
        const int from = std::min(fate.depth, recorded), to = std::max(fate.depth, recorded);
        painter.setPen(QPen(theme.frame().selection, theme.px(2)));
        for (int r = from; r < to; ++r) {
            const auto cell = layout.grid.cell(column, r);
            painter.setBrush(r < fate.depth ? QBrush(theme.frame().selection) : Qt::NoBrush);
            if (wide)
                painter.drawEllipse(cell.center(), radius, radius);
            else
                painter.drawLine(QPointF(cell.center().x(), cell.top() + 2), QPointF(cell.center().x(), cell.bottom() - 3));
        }
        if (!fate.unknown || fate.depth >= layout.grid.rows) continue;
        const auto cell = layout.grid.cell(column, fate.depth);
        if (wide)
            painter.drawText(cell, Qt::AlignCenter, QStringLiteral("?"));
        else
            painter.fillRect(QRectF(cell.left(), cell.bottom() - theme.px(5), std::max(1.0, cell.width()), theme.px(4)),
                             theme.frame().selection);
    }
    painter.restore();
}

/// What top-k selection would decide otherwise: a triangle, up where it takes, down where it leaves.
void drawLeak(QPainter& painter, const TraceModel& model, const Theme& theme, const HeatmapLayout& layout,
              const RuleOverlay& overlay) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const double size = std::min(theme.px(8), std::max(2.0, layout.grid.columnWidth - 1));
    for (int column = layout.first; column < std::min(layout.end, model.tokenCount()); ++column) {
        const auto topk = overlay.topkDepth(column);
        const int recorded = model.token(column).depth;
        if (!topk || *topk == recorded) continue;
        const bool takes = *topk > recorded;
        for (int r = std::min(*topk, recorded); r < std::max(*topk, recorded); ++r) {
            const auto cell = layout.grid.cell(column, r);
            const double right = cell.right() - 2, left = right - size;
            const double tip = takes ? cell.top() + 2 : cell.top() + 2 + size, base = takes ? tip + size : tip - size;
            painter.setPen(QPen(theme.frame().panel, 1));
            painter.setBrush(theme.frame().text);
            painter.drawPolygon(QPolygonF{{(left + right) / 2, tip}, {right, base}, {left, base}});
        }
    }
    painter.restore();
}

}  // namespace

void drawAnnotations(QPainter& painter, const TraceModel& model, const Theme& theme, const HeatmapLayout& layout,
                     const RuleOverlay* overlay, const ThresholdEstimate* estimate) {
    if (overlay && overlay->isActive()) drawLeak(painter, model, theme, layout, *overlay);
    if (estimate && estimate->isActive()) drawForeseen(painter, model, theme, layout, *estimate);
}

}  // namespace mor::ui
