// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>

/// Colours as pure functions. Colour means depth and nothing else; orange means selection and threshold.
namespace mor::ui {

enum class ColourMap { Cividis, Viridis, Grey };
enum class Appearance { Light, Dark };

/// The frame around the data: everything that is not a depth.
struct Frame {
    QColor ground;  ///< behind the panels
    QColor panel;
    QColor line;  ///< around panels and grid lines
    QColor text;
    QColor caption;  ///< grey explanations
    QColor accent;   ///< the primary action only
    QColor accentText;
    QColor selection;      ///< the orange of selection and threshold
    QColor selectionWash;  ///< behind what is selected
    QColor track;          ///< the empty part of bars and of cells that were offered
    QColor blank;          ///< cells that were not offered
    QColor pale;           ///< depth 0
    QColor paleLine;       ///< its outline
    QColor neutral;        ///< data that is no depth: histograms, layers outside the recursions
    QColor flow;           ///< tokens that leave
};

const Frame& frameOf(Appearance);

/// A colour map at `position` 0..1, interpolated in Oklab between its anchors so that steps look equal.
QColor mapColour(ColourMap, double position);

/// The colour of depth 1..recursions: position (depth - 1) / (recursions - 1) on the part of the map that stays
/// readable on both grounds. Depth 0 is the frame's pale cell.
QColor depthColour(ColourMap, Appearance, int depth, int recursions);

/// `share` of `over` mixed into `under`, in Oklab.
QColor blend(const QColor& under, const QColor& over, double share);

/// Relative luminance 0..1 (WCAG 2) and the contrast ratio 1..21 built on it.
double luminance(const QColor&);
double contrast(const QColor&, const QColor&);

/// Black or white, whichever reads better on `ground`.
QColor textOn(const QColor& ground);

}  // namespace mor::ui
