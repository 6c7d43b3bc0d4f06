// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>
#include <vector>

namespace mor::ui {

class TraceModel;

/// One column of the flow of tokens: column 0 is the text, column r the tokens taken by recursion r.
struct RoutingLane {
    int offered = 0;  ///< column 0: all tokens
    int taken = 0;    ///< the height of the bar
    int left = 0;     ///< tokens whose depth is this column: they go no further
    QRectF bar;
    QRectF exit;  ///< where those tokens reach the join
};

/// Counts and places. The last column, the join, stacks all tokens by depth, the deepest on top, so that every
/// token keeps its height on the way and widths are counts everywhere.
struct RoutingFlow {
    std::vector<RoutingLane> lanes;  ///< [R + 1]
    double pitch = 0;                ///< between columns
    double perToken = 0;             ///< pixels
};

/// `gap` separates the depths at the join; `barWidth` and `gap` are pixels.
RoutingFlow layOutRouting(const TraceModel&, const QRectF& area, double barWidth, double gap);

}  // namespace mor::ui
