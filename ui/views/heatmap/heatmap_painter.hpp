// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>

#include "views/heatmap/heatmap_image.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/heat_cell.hpp"
#include "views/kit/theme.hpp"

class QPainter;
class QRegion;

namespace mor::ui {

class RuleOverlay;
class Selection;
class ThresholdEstimate;
class TraceModel;

/// Below this width, in pixels, columns are drawn as an image instead of cell by cell.
inline constexpr double kImageColumn = 6;

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

/// What stands around the cells.
struct HeatmapSides {
    double names = 64;       ///< pixels before scaling: the room that the token names take below
    bool histograms = true;  ///< without routers there are no scores
};

HeatmapLayout layOutHeatmap(const Theme&, const QRectF& area, int recursions, int columns, double columnWidth,
                            double scroll, const HeatmapSides& = {});

/// The height that a name of this width takes, tilted, in pixels; in steps, so that rows seldom change.
double tiltedHeight(const Theme&, double width);

/// Paints the heatmap from the trace; used by the widget and for export.
class HeatmapPainter {
public:
    HeatmapPainter(const TraceModel&, const Selection&, const Theme&, const HeatColours&, ColourBy);

    /// Cells that another threshold would change are ringed.
    void setEstimate(const ThresholdEstimate* estimate) { estimate_ = estimate; }
    /// Cells that top-k selection would decide otherwise carry a triangle: up where it takes, down where it leaves.
    void setOverlay(const RuleOverlay* overlay) { overlay_ = overlay; }

    void draw(QPainter&, const HeatmapLayout&) const;

    /// The score histogram of a recursion.
    static QRectF histogramOf(const HeatmapLayout&, int recursion);

    /// Only what lies in this region needs painting; the painter clips to it.
    void setDirty(const QRegion* dirty) { dirty_ = dirty; }

    /// How far the name or number of a column reaches to the left and right of the column's middle.
    static double namesReach(const Theme&);

    /// Keeps what narrow columns look like from one picture to the next.
    void setImage(HeatmapImage* image) { image_ = image; }

private:
    bool isWanted(const QRectF& area) const;
    void drawRowNames(QPainter&, const HeatmapLayout&) const;
    void drawCells(QPainter&, const HeatmapLayout&) const;
    void drawImage(QPainter&, const HeatmapLayout&) const;
    void drawCell(QPainter&, const HeatCell&, const QRectF& cell) const;
    void drawGlyph(QPainter&, const HeatCell&, const QPointF& centre) const;
    void drawTokenNames(QPainter&, const HeatmapLayout&) const;
    void drawPositions(QPainter&, const HeatmapLayout&) const;
    void drawSelection(QPainter&, const HeatmapLayout&) const;
    void drawHistograms(QPainter&, const HeatmapLayout&) const;
    void drawRamp(QPainter&, const QRectF& area) const;
    void drawForeseen(QPainter&, const HeatmapLayout&) const;
    void drawLeak(QPainter&, const HeatmapLayout&) const;

    const TraceModel& model_;
    const Selection& selection_;
    const Theme& theme_;
    const HeatColours& colours_;
    ColourBy by_;
    const ThresholdEstimate* estimate_ = nullptr;
    const RuleOverlay* overlay_ = nullptr;
    HeatmapImage* image_ = nullptr;
    const QRegion* dirty_ = nullptr;
};

}  // namespace mor::ui
