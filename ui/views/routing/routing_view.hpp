// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "views/kit/threshold_grip.hpp"
#include "views/kit/token_view.hpp"
#include "views/routing/routing_painter.hpp"

namespace mor::ui {

/// Lanes whose width is a count: who enters each recursion, who goes on, who leaves; the way of the current token
/// through them; and below each recursion the scores of all tokens with the threshold as a line to drag, and the current
/// token's score, gate and, in models with two routers, what the other one says.
///
/// Dragging asks "what if": the lanes then show what the recorded scores foresee, until Generate makes it known.
class RoutingView : public WholeView {
    Q_OBJECT

public:
    RoutingView(TraceModel*, Selection*, ThresholdEstimate* = nullptr, QWidget* parent = nullptr);

    const RoutingLayout& places() const { return layout_; }  ///< as painted
    std::vector<RoutingNote> notes() const;                  ///< about the current token
    QString caption() const;                                 ///< what the picture shows: the run, or an estimate
    void refresh() override;

signals:
    void captionChanged();

protected:
    void draw(QPainter&, const QRectF& area) const override;
    void drawHints(QPainter&) const override;
    QString describe() const override;
    QString tipAt(const QPointF&) const override;
    void mixColours() override { colours_ = RoutingColours(theme_, model_->recursions()); }
    void restyle() override { layOut(); }
    bool press(QKeyEvent&) override;
    void resizeEvent(QResizeEvent*) override { layOut(); }
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override { grip_.release(); }
    void mouseDoubleClickEvent(QMouseEvent*) override;

private:
    void layOut();
    QString laneText(std::size_t lane) const;

    ThresholdEstimate* estimate_;
    ThresholdGrip grip_;
    RouterPair routers_;
    std::optional<ThresholdEstimate::Summary> foreseen_;  ///< while another threshold is asked about
    RoutingColours colours_;
    RoutingLayout layout_;
    QString shownCaption_;
};

}  // namespace mor::ui
