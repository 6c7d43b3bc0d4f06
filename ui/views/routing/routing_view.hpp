// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

#include "mor/record.hpp"
#include "views/kit/heat_cell.hpp"
#include "views/kit/theme.hpp"
#include "views/routing/routing_lanes.hpp"

class QPainterPath;

namespace mor::ui {

class Selection;
class ThresholdEstimate;
class TraceModel;

/// Lanes whose width is a count: who enters each recursion, who goes on, who leaves; the way of the current token
/// through them; and below each recursion the scores of all tokens with the threshold as a line to drag, and the current
/// token's score, gate and, in models with two routers, what the other one says.
///
/// Dragging asks "what if": the lanes then show what the recorded scores foresee, until Generate makes it known.
class RoutingView : public QWidget, public Picture {
    Q_OBJECT

public:
    RoutingView(TraceModel*, Selection*, ThresholdEstimate* = nullptr, QWidget* parent = nullptr);

    /// What is written about the current token below the lane of a recursion.
    struct Note {
        int recursion = 0;  ///< zero-based
        bool taken = false;
        QString score;  ///< "● 0.648"
        QString rule;   ///< "≥ 0.500"; empty where no threshold decides
        QString gate;
        QString margin;  ///< how close the decision was
        QString other;   ///< score of the router that does not decide, with ≠ where it would decide otherwise; or empty
    };
    RoutingFlow flow() const { return flowIn(rect()); }
    std::vector<Note> notes() const;
    QRectF histogram(int recursion) const;  ///< empty: no room for it
    QString caption() const;                ///< what the picture shows: the run, or an estimate

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

signals:
    void captionChanged();

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    bool event(QEvent*) override;

private:
    static constexpr double kNoteLine = 18, kHead = 36;  ///< pixels: a line of notes, two lines above the lanes

    QString emptyText() const;
    QString recordedCaption() const;
    bool comparesWithThreshold() const;
    bool foresees() const;  ///< an estimate is shown
    bool hasTwoRouters() const;
    bool auxiliaryDecides() const;
    QString otherRouterName() const;
    QString otherRouter(const mor::Decision&, int recursion) const;  ///< score of the one that does not decide, as in Note
    bool showsMargins(const QRectF& area) const;
    int noteLines(const QRectF& area) const;
    bool hasRoomForNotes(double width) const;
    double exitWidth(bool brief) const;  ///< right of the join
    QString exitText(int depth, int tokens, bool brief) const;
    bool exitsAreBrief(double width) const;  ///< where the lanes would otherwise be too close for notes
    double pitchIn(double width) const;      ///< from one lane to the next
    double pitchIn(double width, bool brief) const;
    double notesHeight(const QRectF& area) const;      ///< 0: the lanes are too close for notes
    double histogramHeight(const QRectF& area) const;  ///< 0: no room
    QRectF histogramIn(const QRectF& area, int recursion) const;
    int graspedHistogram(const QPointF&) const;  ///< recursion whose threshold line is there, or -1
    RoutingFlow flowIn(const QRectF& area) const;
    void mixLooks();
    void drawBands(QPainter&, const RoutingFlow&) const;
    void drawBars(QPainter&, const RoutingFlow&) const;
    void drawHeads(QPainter&, const QRectF& area, const RoutingFlow&) const;
    void drawExits(QPainter&, const QRectF& area, const RoutingFlow&) const;
    void drawWay(QPainter&, const RoutingFlow&) const;
    void drawForeseen(QPainter&, const RoutingFlow&) const;
    void drawHistograms(QPainter&, const QRectF& area) const;
    void drawNotes(QPainter&, const QRectF& area, const RoutingFlow&) const;
    QString laneTip(const RoutingFlow&, double x) const;

    TraceModel* model_;
    Selection* selection_;
    ThresholdEstimate* estimate_;
    int dragged_ = -1;  ///< recursion in whose histogram the threshold is being dragged
    Theme theme_;
    struct Look {  ///< of a lane
        QColor lane, band, depth;
        bool outlined = false;
        bool exitOutlined = false;
    };
    std::vector<Look> looks_;  ///< [R + 1]
    HeatColours colours_;
};

}  // namespace mor::ui
