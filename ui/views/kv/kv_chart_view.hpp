// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QtCharts/QChartView>

#include "views/kit/token_view.hpp"
#include "views/kv/kv_curves.hpp"

namespace mor::ui {

/// Bytes of the KV cache as the text grew, stacked by recursion (measured), under the dashed line of what the same
/// layers would hold without sharing and routing (computed).
///
/// Qt Charts is slow to take points, so a burst of batches becomes one replace() per series a few frames later.
class KvChartView : public TokenView<QChartView> {
    Q_OBJECT

public:
    KvChartView(TraceModel*, Selection*, QWidget* parent = nullptr);

    void setQuantity(KvQuantity);
    const KvCurves& curves() const { return curves_; }
    QString savedText() const;          ///< "34 % saved"; empty while nothing is known
    QPointF pointFor(int token) const;  ///< on the viewport, on the upper edge of the stack
    int tokenAt(const QPointF& viewport) const override;
    void flush();  ///< draws what has arrived now
    void catchUp() override { flush(); }

    /// The axes reach as far as those of the other chart, which lives as long: two sides of a comparison.
    void shareAxesWith(const KvChartView* other);

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    void mixColours() override { curves_.setTheme(theme_); }
    void restart() override;
    void extend() override;
    void selectionChanged(bool acted) override;
    void drawForeground(QPainter*, const QRectF&) override;
    void mouseReleaseEvent(QMouseEvent*) override;

private:
    QString valueText() const;  ///< of the token looked at

    KvCurves curves_;
    const KvChartView* peer_ = nullptr;  ///< whose axes are as long
    QTimer pending_;
    QElapsedTimer flushed_;
};

}  // namespace mor::ui
