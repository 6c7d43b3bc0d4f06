// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QIcon>

namespace mor::ui {

enum class Glyph { Play, Pause, PreviousToken, NextToken, NextRecursion, Stop, Menu, Enlarge, Reduce };

/// A flat symbol in one colour, paler while disabled. Drawn here because fonts disagree about these characters.
QIcon icon(Glyph, const QColor& ink, const QColor& disabled);

}  // namespace mor::ui
