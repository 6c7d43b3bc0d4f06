// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPainter>
#include <QRectF>
#include <QString>

/// Lines of text that are laid out once and drawn many times. Shaping a line costs several times what drawing it does, and
/// a picture that grows writes again what it wrote a moment ago: names, digits, the same few thousand tokens.
///
/// Only from the GUI's thread, as everything that paints.
namespace mor::ui {

/// How wide this line is, in pixels.
double textWidth(const QFont&, const QString& text);

/// One line of text in the painter's font and pen, cut with "…" where it does not fit.
void drawLine(QPainter&, const QRectF& area, Qt::Alignment, const QString& text);

}  // namespace mor::ui
