// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/heatmap/heatmap_image.hpp"
#include "views/heatmap/heatmap_layout.hpp"
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

/// Paints the heatmap from the trace; used by the widget and for export.
class HeatmapPainter {
public:
    HeatmapPainter(const TraceModel&, const Selection&, const Theme&, const HeatColours&, const Colouring&);

    /// What is drawn over the recorded cells, and the threshold that the histograms show; null: nothing, as recorded.
    void setEstimate(const ThresholdEstimate* estimate) { estimate_ = estimate; }
    void setOverlay(const RuleOverlay* overlay) { overlay_ = overlay; }

    void draw(QPainter&, const HeatmapLayout&) const;

    /// Only what lies in this region needs painting; the painter clips to it.
    void setDirty(const QRegion* dirty) { dirty_ = dirty; }

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

    const TraceModel& model_;
    const Selection& selection_;
    const Theme& theme_;
    const HeatColours& colours_;
    Colouring colouring_;
    const ThresholdEstimate* estimate_ = nullptr;
    const RuleOverlay* overlay_ = nullptr;
    HeatmapImage* image_ = nullptr;
    const QRegion* dirty_ = nullptr;
};

}  // namespace mor::ui
