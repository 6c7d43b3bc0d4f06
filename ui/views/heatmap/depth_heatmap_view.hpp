// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractScrollArea>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/heatmap/heatmap_painter.hpp"

namespace mor::ui {

class Later;
class FollowingBar;
class RuleOverlay;
class ThresholdEstimate;

/// The stage: one column a token, one row a recursion, the first at the bottom. Ctrl and the wheel zoom, dragging pans, F
/// fits the whole run; far out, a column is a few pixels of an image or less than one. Follows the newest column unless
/// the reader scrolled back. The threshold in the histograms can be dragged where an estimate is given.
class DepthHeatmapView : public QAbstractScrollArea, public Picture {
    Q_OBJECT

public:
    DepthHeatmapView(TraceModel*, Selection*, ThresholdEstimate* = nullptr, QWidget* parent = nullptr);

    HeatCell cellAt(int token, int recursion) const;  ///< what the painter draws
    QRectF cellRect(int token, int recursion) const;  ///< on the viewport
    int tokenAt(const QPoint& viewport) const;        ///< -1: none
    const std::array<int, RecursionTally::kBins>& histogram(int recursion) const;

    double columnWidth() const { return columnWidth_; }
    void setColumnWidth(double);  ///< pixels before scaling, clamped to 0.02..64
    void zoomBy(double factor);   ///< around the middle, or the newest column while following it
    void fit();                   ///< all columns at once
    ColourBy colourBy() const { return colourBy_; }
    void setColourBy(ColourBy);

    void showBeginning();  ///< and stay there, instead of following the newest column

    void setOverlay(RuleOverlay*);  ///< what top-k selection would do; none at first

    QString caption() const;  ///< explains the cells of this kind of model

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

signals:
    void columnWidthChanged(double);
    void captionChanged();

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    bool viewportEvent(QEvent*) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    HeatmapSides sides() const;
    void measureNames();
    HeatmapLayout layoutNow() const;
    HeatmapPainter painterNow() const;
    void mixColours();
    QString whatChanges() const;  ///< says what marks on the cells mean; empty without
    QString emptyText() const;
    void zoomAt(double factor, double x);
    void relayout();
    void fitBar();
    void extend();
    bool movesAsItIs() const;
    void invalidate(const QRectF& area) { viewport()->update(area.toAlignedRect() & viewport()->rect()); }
    void restart();
    void selectionChanged();
    void point(const QPoint& viewport, bool pin);
    QRectF thresholdHistogram(const QPointF& viewport) const;  ///< whose line can be grasped there; empty: none
    QRectF anyHistogram() const;                               ///< all have the same horizontal extent

    enum class Drag { None, Pressed, Pan, Threshold };

    TraceModel* model_;
    Selection* selection_;
    ThresholdEstimate* estimate_;
    RuleOverlay* overlay_ = nullptr;
    Drag drag_ = Drag::None;
    QPoint pressedAt_;
    int scrollAtPress_ = 0;
    FollowingBar* bar_;
    Later* describer_;
    Selection::Marks marks_;  ///< as painted
    int drawn_ = 0;           ///< columns of finished tokens that have been painted
    bool extending_ = false;
    bool pointing_ = false;  ///< the reader is pointing here: nothing may slide away under the pointer
    Theme theme_;
    HeatColours colours_;
    ColourBy colourBy_ = ColourBy::Depth;
    mutable HeatmapImage image_;
    double columnWidth_ = 24;
    double longestName_ = 0;  ///< pixels
    int measured_ = 0;        ///< tokens whose names have been measured
};

}  // namespace mor::ui
