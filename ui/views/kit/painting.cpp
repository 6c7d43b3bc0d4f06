// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/painting.hpp"

#include <algorithm>

#include "models/selection.hpp"

namespace mor::ui {

void drawEmptyState(QPainter& painter, const Theme& theme, const QRectF& area, const QString& text) {
    painter.save();
    painter.setFont(theme.body());
    painter.setPen(theme.frame().caption);
    painter.drawText(area.adjusted(theme.px(12), 0, -theme.px(12), 0), Qt::AlignCenter | Qt::TextWordWrap, text);
    painter.restore();
}

void drawSwatch(QPainter& painter, const Theme& theme, const QRectF& area, int depth, int recursions) {
    const auto colour = theme.depth(depth, recursions);
    // The darkest colours vanish on a dark ground and the palest on a light one: both get an outline.
    const bool outlined = depth == 0 || contrast(colour, theme.frame().panel) < 2.0;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(outlined ? QPen(theme.frame().paleLine, 1) : QPen(Qt::NoPen));
    painter.setBrush(colour);
    const double inset = outlined ? 0.5 : 0;
    painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), theme.px(3), theme.px(3));
    painter.restore();
}

std::vector<Mark> marksOf(const Selection& selection, int from, int end) {
    std::vector<Mark> marks;
    for (const int token : {selection.pinned(), selection.secondPinned(), selection.hovered()})
        if (token >= from && token < end && token >= 0)
            marks.push_back({token, token == selection.secondPinned() && token != selection.hovered()});
    return marks;
}

void drawScoreBar(QPainter& painter, const Theme& theme, const QRectF& area, const QColor& fill, double share,
                  double tick) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(area, theme.frame().track);
    const QRectF filled(area.topLeft(), QSizeF(area.width() * std::clamp(share, 0.0, 1.0), area.height()));
    painter.fillRect(filled, fill);
    if (filled.width() > 2 && contrast(fill, theme.frame().panel) < 2.0) {
        painter.setPen(QPen(theme.frame().paleLine, 1));
        painter.drawRect(filled.adjusted(0, 0, -1, -1));
    }
    if (tick >= 0) {
        const double x = area.left() + tick * area.width();
        const double over = theme.px(4);
        painter.fillRect(QRectF(x - theme.px(1), area.top() - over, theme.px(2), area.height() + 2 * over),
                         theme.frame().selection);
    }
    painter.restore();
}

}  // namespace mor::ui
