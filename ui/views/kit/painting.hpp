// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPainter>
#include <QRectF>
#include <QString>
#include <vector>

#include "views/kit/text_lines.hpp"
#include "views/kit/theme.hpp"

/// Strokes several pictures share.
namespace mor::ui {

class Selection;

/// "Type a prompt and press Generate": what to do while there is nothing to see.
void drawEmptyState(QPainter&, const Theme&, const QRectF& area, const QString& text);

/// A small square of a depth colour; depth 0 is outlined. Used by legends and lists.
void drawSwatch(QPainter&, const Theme&, const QRectF& area, int depth, int recursions);

/// A token that the selection marks, and whether as the second pin, with dashes.
struct Mark {
    int token;
    bool dashed;
};

/// The marks among the tokens [from, end), in the order in which they are drawn.
std::vector<Mark> marksOf(const Selection&, int from, int end);

/// A horizontal bar filled to `share`, on its track, with the threshold as an orange tick where there is one (NaN: none).
void drawScoreBar(QPainter&, const Theme&, const QRectF& area, const QColor& fill, double share, double tick);

}  // namespace mor::ui
