// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/heatmap/heatmap_painter.hpp"
#include "views/kit/threshold_grip.hpp"
#include "views/kit/token_view.hpp"

namespace mor::ui {

class FollowingBar;
class RuleOverlay;
class ThresholdEstimate;

/// The stage: one column a token, one row a recursion, the first at the bottom. Ctrl and the wheel zoom, dragging pans, F
/// fits the whole run; far out, a column is a few pixels of an image or less than one. Follows the newest column unless
/// the reader scrolled back. The threshold in the histograms can be dragged where an estimate is given. Elsewhere than on
/// the screen all columns are drawn, line below line.
class DepthHeatmapView : public TokenView<QAbstractScrollArea> {
    Q_OBJECT

public:
    DepthHeatmapView(TraceModel*, Selection*, ThresholdEstimate* = nullptr, QWidget* parent = nullptr);

    HeatCell cellAt(int token, int recursion) const;  ///< what the painter draws
    QRectF cellRect(int token, int recursion) const;  ///< on the viewport
    int tokenAt(const QPointF& viewport) const override;
    const std::array<int, RecursionTally::kBins>& histogram(int recursion) const;

    double columnWidth() const { return columnWidth_; }
    void setColumnWidth(double);  ///< pixels before scaling, clamped to 0.02..64
    void zoomBy(double factor);   ///< around the middle, or the newest column while following it
    void fit();                   ///< all columns at once
    ColourBy colourBy() const { return scale_.colouring().by; }
    const Colouring& colouring() const { return scale_.colouring(); }
    void setColourBy(ColourBy);

    void showBeginning();  ///< and stay there, instead of following the newest column

    void setOverlay(RuleOverlay*);  ///< what top-k selection would do; none at first

    QString caption() const;  ///< explains the cells of this kind of model

    double completeHeight(double width) const override;
    QSize sizeHint() const override;

signals:
    void columnWidthChanged(double);
    void captionChanged();

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    QString emptyText() const override;
    void mixColours() override;
    void restyle() override;
    void restart() override;
    void extend() override;
    void rewind() override { viewport()->update(); }
    void selectionChanged(bool acted) override;
    bool press(QKeyEvent&) override;
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    HeatmapSides sides() const;
    void measureNames();
    HeatmapLayout layoutNow() const;
    HeatmapPainter painterNow() const;
    void zoomAt(double factor, double x);
    void relayout();
    void fitBar();
    bool movesAsItIs() const;
    bool isInSight(int token) const;  ///< at least in part
    void markChange();                ///< what is drawn over the cells is another
    std::vector<QRectF> histograms() const;

    enum class Drag { None, Pressed, Pan, Threshold };

    ThresholdEstimate* estimate_;
    ThresholdGrip grip_;
    RuleOverlay* overlay_ = nullptr;
    Drag drag_ = Drag::None;
    QPoint pressedAt_;
    int scrollAtPress_ = 0;
    FollowingBar* bar_;
    int drawn_ = 0;  ///< columns of finished tokens that have been painted
    bool extending_ = false;
    HeatColours colours_;
    ColourScale scale_;
    mutable HeatmapImage image_;
    double columnWidth_ = 24;
    double longestName_ = 0;  ///< pixels
    int measured_ = 0;        ///< tokens whose names have been measured
};

}  // namespace mor::ui
