// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPainter>
#include <QRectF>
#include <QString>
#include <vector>

#include "mor/trace.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

/// Words and their probabilities as bars below a title, the likeliest first, as many as fit.
void drawWordBars(QPainter&, const Theme&, const QRectF& area, const QString& title, const QColor& colour,
                  const std::vector<mor::Alternative>& words);

}  // namespace mor::ui
