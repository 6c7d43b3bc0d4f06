// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QElapsedTimer>
#include <QPointF>
#include <QTimer>
#include <QtCharts/QChartView>
#include <vector>

#include "models/selection.hpp"
#include "views/kit/theme.hpp"

class QAreaSeries;
class QLineSeries;
class QValueAxis;

namespace mor::ui {

class TraceModel;

/// Bytes of the KV cache as the text grew, stacked by recursion (measured), under the dashed line of what the same
/// layers would hold without sharing and routing (computed).
///
/// Qt Charts is slow to take points, so a burst of batches becomes one replace() per series a few frames later.
class KvChartView : public QChartView, public Picture {
    Q_OBJECT

public:
    KvChartView(TraceModel*, Selection*, QWidget* parent = nullptr);

    /// Used: the entries stored. Reserved: the blocks that hold them, whole.
    enum class Quantity { Used, Reserved };
    void setQuantity(Quantity);

    static constexpr int kMostPoints = 250;
    int layers() const { return static_cast<int>(stacks_.size()); }  ///< 1 (outside the recursions) + R
    /// (tokens held, cumulated size in unit()) as drawn: no point is further than half a pixel from the lines between
    /// these.
    QList<QPointF> upperEdge(int layer) const;
    QList<QPointF> vanillaLine() const;
    QString unit() const { return unit_; }  ///< "KiB"
    double unitDivisor() const { return divisor_; }
    QString savedText() const;                   ///< "34 % saved"; empty while nothing is known
    QPointF pointFor(int token) const;           ///< on the viewport, on the upper edge of the stack
    int tokenAt(const QPointF& viewport) const;  ///< -1: none
    void flush();                                ///< draws what has arrived now

    /// The axes reach as far as those of the other chart, which lives as long: two sides of a comparison.
    void shareAxesWith(const KvChartView* other);

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void drawForeground(QPainter*, const QRectF&) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    bool viewportEvent(QEvent*) override;

private:
    struct Stack {
        QAreaSeries* area;
        QLineSeries* upper;
    };
    QString emptyText() const;
    void makeAxes();
    void rebuild();
    void fitAxes();
    void fillSeries();
    void applyColours();
    const std::vector<std::int64_t>& parts(int token) const;  ///< of the quantity, in the order of KvUse
    double heldBytes(int token) const;
    double largestBytes() const;  ///< of all that is drawn
    void drawLegend(QPainter&, const QRectF& plot) const;
    void drawNumbers(QPainter&, const QRectF& plot) const;
    void drawMarker(QPainter&, const QRectF& plot, int token, bool dashed) const;
    double freeWidth(const QRectF& plot, double y) const;  ///< left of the vanilla line, the highest curve
    QString valueText() const;                             ///< of the token looked at

    const KvChartView* peer_ = nullptr;  ///< whose axes are as long
    TraceModel* model_;
    Selection* selection_;
    Theme theme_;
    std::vector<Stack> stacks_;
    QLineSeries* vanilla_ = nullptr;
    QValueAxis* tokens_ = nullptr;
    QValueAxis* bytes_ = nullptr;
    Quantity quantity_ = Quantity::Used;
    QString unit_;
    double divisor_ = 1024;
    Selection::Marks marks_;  ///< as painted
    QTimer pending_;
    QElapsedTimer flushed_;
};

}  // namespace mor::ui
