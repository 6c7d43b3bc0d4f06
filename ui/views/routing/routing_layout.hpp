// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>
#include <QString>
#include <vector>

#include "views/kit/theme.hpp"

namespace mor::ui {

class RouterPair;
class TraceModel;

/// One column of the flow of tokens: column 0 is the text, column r the tokens taken by recursion r.
struct RoutingLane {
    int offered = 0;  ///< column 0: all tokens
    int taken = 0;    ///< the height of the bar
    int left = 0;     ///< tokens whose depth is this column: they go no further
    QRectF bar;
    QRectF exit;  ///< where those tokens reach the join
};

/// Where everything is in a picture of this size, and what there is room for. The last column, the join, stacks all tokens
/// by depth, the deepest on top, so that every token keeps its height on the way and widths are counts everywhere.
struct RoutingLayout {
    QRectF area;
    std::vector<RoutingLane> lanes;  ///< [R + 1]; empty without a run
    double pitch = 0;                ///< between columns
    double perToken = 0;             ///< pixels
    bool brief = false;              ///< depths at the join are numbered instead of named: the lanes need the room
    std::vector<QRectF> histograms;  ///< [R] of the scores; empty: no room
    QRectF notes;                    ///< all lines of them; empty: no room
    double noteLine = 0;             ///< height of each
    bool hasRule = false;            ///< the notes name the threshold, which no histogram shows
    bool hasMargins = false;
    bool hasOther = false;  ///< and what the other router says
};

RoutingLayout layOutRouting(const TraceModel&, const RouterPair&, const Theme&, const QRectF& area);

/// "depth 2: 31 · 34 %", or without the word: what stands at the join.
QString exitText(const TraceModel&, int depth, int tokens, bool brief);

}  // namespace mor::ui
