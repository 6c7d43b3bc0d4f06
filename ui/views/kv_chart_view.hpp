// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QChartView>
#include <QPointF>
#include <vector>

#include "views/theme.hpp"

class QAreaSeries;
class QLineSeries;
class QValueAxis;

namespace mor::ui {

class Selection;
class TraceModel;

/// Bytes of the KV cache as the text grew, stacked by recursion (measured), under the dashed line of what the same
/// layers would hold without sharing and routing (computed).
class KvChartView : public QChartView, public Picture {
    Q_OBJECT

public:
    KvChartView(TraceModel*, Selection*, QWidget* parent = nullptr);

    int layers() const { return static_cast<int>(stacks_.size()); }  ///< 1 (outside the recursions) + R
    QList<QPointF> upperEdge(int layer) const;  ///< tokens -> cumulated size in the unit of the axis, as drawn
    QList<QPointF> vanillaLine() const;
    QString unit() const;  ///< "KiB"
    double unitDivisor() const { return divisor_; }
    QString savedText() const;                   ///< "34 % saved"; empty while nothing is known
    QRectF plotRect() const;                     ///< on the viewport
    int tokenAt(const QPointF& viewport) const;  ///< -1: none

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;

protected:
    void drawForeground(QPainter*, const QRectF&) override;
    void keyPressEvent(QKeyEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    bool viewportEvent(QEvent*) override;
    void resizeEvent(QResizeEvent*) override;

private:
    struct Stack {
        QAreaSeries* area;
        QLineSeries* upper;
    };
    void rebuild();
    void refresh();
    void fitAxes(double largest);
    void applyColours();
    QPointF toViewport(const QPointF& value) const;
    void drawMarker(QPainter&, int token, bool hovered) const;
    void drawLabels(QPainter&) const;

    TraceModel* model_;
    Selection* selection_;
    Theme theme_;
    std::vector<Stack> stacks_;
    QLineSeries* vanilla_ = nullptr;
    QValueAxis* tokens_ = nullptr;
    QValueAxis* bytes_ = nullptr;
    double divisor_ = 1024;
    bool dirty_ = true;
};

}  // namespace mor::ui
