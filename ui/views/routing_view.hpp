// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

#include "views/routing_lanes.hpp"
#include "views/theme.hpp"

class QPainterPath;

namespace mor::ui {

class Selection;
class TraceModel;

/// Lanes whose width is a count: who enters each recursion, who goes on, who leaves; the way of the current token
/// through them; and below, its score against the threshold and its gate at every recursion.
class RoutingView : public QWidget, public Picture {
    Q_OBJECT

public:
    RoutingView(TraceModel*, Selection*, QWidget* parent = nullptr);

    /// What is written about the current token below the lane of a recursion.
    struct Note {
        int recursion = 0;  ///< zero-based
        bool taken = false;
        QString score;  ///< "● 0.648"
        QString rule;   ///< "≥ 0.500"; empty where no threshold decides
        QString gate;
    };
    RoutingFlow flow() const { return flowIn(rect()); }
    std::vector<Note> notes() const;

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    QString emptyText() const;
    double notesHeight(double width) const;  ///< 0: the lanes are too close for notes
    RoutingFlow flowIn(const QRectF& area) const;
    QColor laneColour(int lane) const;
    void drawBands(QPainter&, const RoutingFlow&) const;
    void drawBars(QPainter&, const RoutingFlow&) const;
    void drawHeads(QPainter&, const QRectF& area, const RoutingFlow&) const;
    void drawExits(QPainter&, const QRectF& area, const RoutingFlow&) const;
    void drawWay(QPainter&, const RoutingFlow&) const;
    void drawNotes(QPainter&, const QRectF& area, const RoutingFlow&) const;
    QString laneTip(const RoutingFlow&, double x) const;

    TraceModel* model_;
    Selection* selection_;
    Theme theme_;
};

}  // namespace mor::ui
