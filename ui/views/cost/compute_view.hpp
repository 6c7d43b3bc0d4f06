// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QWidget>

#include "models/figures.hpp"
#include "models/pass_times.hpp"
#include "views/cost/cost_chart.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

class Later;
class Selection;
class TraceModel;

/// The run in numbers: speed, depth and arithmetic, each labelled measured, counted or computed; and below, where there
/// is room, what each token cost.
class ComputeView : public QWidget, public Picture {
    Q_OBJECT

public:
    ComputeView(TraceModel*, Selection*, QWidget* parent = nullptr);

    struct Row {
        QString name;
        QString value;   ///< "–" while it is not known
        QString origin;  ///< "measured", "counted" or "computed"
    };
    QList<Row> rows() const;
    void setQuantity(CostChart::Quantity);
    QRectF chartArea() const;  ///< empty: no room
    const PassTimes& times() const { return times_; }

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    bool event(QEvent*) override;

private:
    void restart();
    void extend();
    QRectF chartIn(const QRectF& area) const;
    CostChart chart() const;
    void drawRows(QPainter&, const QRectF& area) const;

    TraceModel* model_;
    Selection* selection_;
    Later* painting_;
    Later* describer_;
    CostChart::Quantity quantity_ = CostChart::Quantity::PerToken;
    PassTimes times_;
    Figures figures_;
    std::size_t seenPasses_ = 0;
    Theme theme_;
};

}  // namespace mor::ui
