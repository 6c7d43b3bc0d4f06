// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

#include "views/kit/heat_cell.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

class Later;
class Selection;
class TraceModel;

/// Why the current token went as deep as it did: score, threshold and outcome of every recursion, what it would say if
/// it stopped after each, and what else could have stood in its place. With a second pin the first one is the thin dark
/// bar, and differences stand in place of gates.
class TokenDetailView : public QWidget, public Picture {
    Q_OBJECT

public:
    TokenDetailView(TraceModel*, Selection*, QWidget* parent = nullptr);

    /// One recursion as it is drawn.
    struct Row {
        int recursion = 0;  ///< zero-based
        bool offered = false;
        double share = 0;  ///< of the bar that is filled
        double tick = -1;  ///< threshold; negative: none
        QColor colour;
        double value = 0;  ///< the score; NaN where there is none
        QString score;
        QString gate;
        QString margin;
        QString outcome;  ///< "● continues"
    };
    std::vector<Row> rows(int token) const;
    QStringList alternatives(int token) const;  ///< "not .52"
    QStringList exits(int token) const;         ///< "after 1:  not .21  been .09", one for each recursion taken
    QString difference() const;  ///< what two pins differ in: "depth 1 against 3 · …"; empty without a second
    /// The token pointed at or pinned, and otherwise the newest, which is caught up with a few times a second.
    int shownToken() const;
    void refresh();  ///< catches up now

    QString title() const;    ///< "Token 28 · “had”"
    QString caption() const;  ///< "depth 3 of 3"

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

signals:
    void titleChanged(const QString& title, const QString& caption);

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    int comparedToken() const;  ///< the first pin, when another token is shown; -1: none
    double rowHeight(double available) const;
    double drawRows(QPainter&, const QRectF& area, int token) const;
    void drawRow(QPainter&, const QRectF& line, const Row&, const Row* compared) const;
    double drawNumbers(QPainter&, const QRectF& area, int token) const;
    double drawExits(QPainter&, const QRectF& area, int token) const;
    void drawAlternatives(QPainter&, const QRectF& area, int token) const;
    void drawBars(QPainter&, const QRectF& area, int token) const;
    double barPitch(double width, int token) const;

    TraceModel* model_;
    Selection* selection_;
    Later* describer_;
    Theme theme_;
    HeatColours colours_;
    int shown_ = -1;
    QString shownTitle_;
    QString shownCaption_;
};

}  // namespace mor::ui
