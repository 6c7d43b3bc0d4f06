// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

#include "views/theme.hpp"

namespace mor::ui {

class Selection;
class TraceModel;

/// The flow of tokens through the recursions, as drawn: lane 0 is the text, lane r the tokens taken by recursion r.
struct RoutingLane {
    int entering = 0;  ///< offered to this recursion; for lane 0 all tokens
    int taken = 0;
    int left = 0;  ///< not taken by the next recursion; the last lane: all its tokens are done
    QRectF bar;
};

/// What is written about the current token below a lane.
struct RoutingNote {
    int recursion = 0;  ///< zero-based
    QString score;
    QString gate;
    bool taken = false;
};

/// Lanes whose width is a count: who goes on, who leaves; and the way of the current token through them, with its
/// score against the threshold and its gate at every recursion.
class RoutingView : public QWidget, public Picture {
    Q_OBJECT

public:
    RoutingView(TraceModel*, Selection*, QWidget* parent = nullptr);

    std::vector<RoutingLane> lanes() const { return lanesIn(rect()); }
    std::vector<RoutingNote> notes() const;

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
    QRectF lanesArea(const QRectF& area) const;
    std::vector<RoutingLane> lanesIn(const QRectF& area) const;
    void drawFlows(QPainter&, const std::vector<RoutingLane>&) const;
    void drawBars(QPainter&, const std::vector<RoutingLane>&) const;
    void drawPath(QPainter&, const std::vector<RoutingLane>&) const;
    void drawNotes(QPainter&, const QRectF& area, const std::vector<RoutingLane>&) const;
    void drawHead(QPainter&, const QRectF& area, const std::vector<RoutingLane>&) const;

    TraceModel* model_;
    Selection* selection_;
    Theme theme_;
};

}  // namespace mor::ui
