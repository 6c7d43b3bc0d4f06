// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>
#include <QRegion>
#include <vector>

#include "views/kit/geometry.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

/// Below this width, in pixels before scaling, columns have numbers below them instead of names.
inline constexpr double kNamedColumn = 12;

/// Degrees by which the names below the columns are turned.
inline constexpr double kNamesTilt = 60;

/// Where the parts of the heatmap are, and which stretch of columns is in sight.
struct HeatmapLayout {
    QRectF rowNames;
    QRectF cells;
    QRectF tokenNames;
    QRectF histograms;
    CellGrid grid;  ///< placed so that scrolling is applied
    int first = 0;  ///< first column in sight
    int end = 0;    ///< one past the last
};

/// The score histogram of a recursion; empty where there is no room for them.
QRectF histogramOf(const HeatmapLayout&, int recursion);

/// What stands around the cells.
struct HeatmapSides {
    double names = 64;       ///< pixels before scaling: the room that the token names take below
    bool histograms = true;  ///< room for them at the right; without routers there are no scores
};

HeatmapLayout layOutHeatmap(const Theme&, const QRectF& area, int recursions, int columns, double columnWidth,
                            double scroll, const HeatmapSides& = {});

/// How far the name or number of a column reaches to the left and right of the column's middle.
double namesReach(const Theme&);

/// What has to be painted when columns from this one on are new, and the rest has only been moved.
QRegion regionFrom(const HeatmapLayout&, const Theme&, const QRect& viewport, int column);

/// What has to be painted where columns have been moved out of sight and taken their names with them.
QRegion regionLeftBehind(const HeatmapLayout&, const Theme&, const QRect& viewport);

/// All columns, line below line like words on a page, as many to a line as fit; columns become narrower than `columnWidth`
/// where there would be too many lines. Histograms stand beside the first line. The lines share the height of `area`.
std::vector<HeatmapLayout> wrapHeatmap(const Theme&, const QRectF& area, int recursions, int columns, double columnWidth,
                                       const HeatmapSides&);

/// The height at which those lines are as high as they read well.
double wrappedHeight(const Theme&, double width, int recursions, int columns, double columnWidth, const HeatmapSides&);

/// The height that a name of this width takes, tilted, in pixels; in steps, so that rows seldom change.
double tiltedHeight(const Theme&, double width);

}  // namespace mor::ui
