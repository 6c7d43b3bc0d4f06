// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <optional>
#include <vector>

#include "models/threshold_estimate.hpp"
#include "views/kit/heat_cell.hpp"
#include "views/routing/router_pair.hpp"
#include "views/routing/routing_layout.hpp"

class QPainter;

namespace mor::ui {

class Selection;

/// The colours of the lanes, mixed once per theme and model.
struct RoutingColours {
    struct Lane {
        QColor lane, band, depth;
        bool outlined = false;
        bool exitOutlined = false;
    };
    RoutingColours() = default;
    RoutingColours(const Theme&, int recursions);

    std::vector<Lane> lanes;  ///< [R + 1]
    HeatColours cells;
};

/// Paints the flow of tokens from the trace; used by the widget and for export.
class RoutingPainter {
public:
    RoutingPainter(const TraceModel&, const Selection&, const RouterPair&, const Theme&, const RoutingColours&);

    /// Another threshold that is asked about, and what it would change; it lives as long.
    void setForeseen(double threshold, const ThresholdEstimate::Summary*);

    void draw(QPainter&, const RoutingLayout&) const;

private:
    void drawBands(QPainter&, const RoutingLayout&) const;
    void drawBars(QPainter&, const RoutingLayout&) const;
    void drawHeads(QPainter&, const RoutingLayout&) const;
    void drawExits(QPainter&, const RoutingLayout&) const;
    void drawWay(QPainter&, const RoutingLayout&) const;
    void drawForeseen(QPainter&, const RoutingLayout&) const;
    void drawHistograms(QPainter&, const RoutingLayout&) const;
    void drawNotes(QPainter&, const RoutingLayout&) const;

    const TraceModel& model_;
    const Selection& selection_;
    const RouterPair& routers_;
    const Theme& theme_;
    const RoutingColours& colours_;
    const ThresholdEstimate::Summary* foreseen_ = nullptr;
    double threshold_;  ///< that the histograms show; negative: none decides
};

/// What is written right of the last histogram.
void drawBesideHistograms(QPainter&, const Theme&, const RoutingLayout&, const QColor& ink, const QString&);

}  // namespace mor::ui
