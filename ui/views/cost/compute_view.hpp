// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>

#include "models/figures.hpp"
#include "models/pass_times.hpp"
#include "views/cost/cost_chart.hpp"
#include "views/kit/token_view.hpp"

namespace mor::ui {

/// The run in numbers: speed, depth and arithmetic, each labelled measured, counted or computed; and below, where there
/// is room, what each token cost.
class ComputeView : public WholeView {
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

    int tokenAt(const QPointF&) const override;

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    QString emptyText() const override { return {}; }  ///< numbers that are not known are dashes
    void restart() override;
    void extend() override;
    void rewind() override { restart(); }

private:
    QRectF chartIn(const QRectF& area) const;
    CostChart chart() const;
    void drawRows(QPainter&, const QRectF& area) const;

    CostChart::Quantity quantity_ = CostChart::Quantity::PerToken;
    PassTimes times_;
    Figures figures_;
    std::size_t seenPasses_ = 0;
};

}  // namespace mor::ui
