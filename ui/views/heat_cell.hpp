// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>

#include "views/theme.hpp"

namespace mor::ui {

class TraceModel;

/// What a taken cell's colour says. Anything but the depth uses one neutral ramp, so that colour keeps its meaning.
enum class ColourBy { Depth, Score, Gate, Margin };

enum class CellGlyph {
    None,
    Continue,  ///< ●
    Leave,     ///< ○
    KvOnly,    ///< ◐ leaves, but its K/V are stored
    Chosen     ///< ◆ the depth a token chose (token choice)
};

/// One cell of the heatmap as it is drawn.
struct HeatCell {
    bool known = false;  ///< a router has spoken, or the token is finished
    bool offered = false;
    double fill = 0;   ///< height of the coloured part, 0..1: the score; 1 where there is none but the cell is taken
    double tick = -1;  ///< height of the threshold tick, 0..1; negative: none
    QColor colour;     ///< of the filled part
    QColor ground;     ///< of the rest
    CellGlyph glyph = CellGlyph::None;
    QColor glyphColour;
};

/// The cell of a token at a recursion. The painter and the tests read the same function.
HeatCell heatCell(const TraceModel&, const Theme&, ColourBy, int token, int recursion);

/// The neutral ramp behind ColourBy, 0..1.
QColor rampColour(const Theme&, double value);

/// "●", "○", "◐", "◆" or nothing.
QString glyphText(CellGlyph);

}  // namespace mor::ui
