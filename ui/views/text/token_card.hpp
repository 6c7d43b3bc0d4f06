// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>

#include "views/text/token_facts.hpp"

class QPainter;

namespace mor::ui {

/// Draws what is known about one token: the recursions as bars with their threshold, numbers, and the words that could have
/// stood there; beside a second token the first one as thin dark bars, and differences in place of gates.
class TokenCard {
public:
    /// `compared`: the other token, -1: none.
    TokenCard(const TraceModel&, const HeatColours&, const Theme&, int token, int compared);

    void draw(QPainter&, const QRectF& area) const;

private:
    double rowHeight(double available) const;
    double drawRows(QPainter&, const QRectF& area) const;
    void drawRow(QPainter&, const QRectF& line, const RoutedRow&, const RoutedRow* compared) const;
    double drawNumbers(QPainter&, const QRectF& area) const;
    void drawWords(QPainter&, const QRectF& area) const;
    void drawExits(QPainter&, const QRectF& area) const;
    void drawAlternatives(QPainter&, const QRectF& area) const;
    void drawAlternativesBelow(QPainter&, const QRectF& area) const;
    void drawBars(QPainter&, const QRectF& area) const;
    double barPitch(double width) const;

    const TraceModel& model_;
    const Theme& theme_;
    int token_;
    int compared_;
    std::vector<RoutedRow> rows_, comparedRows_;
    QStringList alternatives_;
    std::vector<ExitWords> exits_;
};

}  // namespace mor::ui
