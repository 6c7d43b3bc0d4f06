// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QRectF>
#include <QString>
#include <vector>

#include "views/kit/geometry.hpp"
#include "views/kit/theme.hpp"

class QPainter;

namespace mor::ui {

class TraceModel;

/// The text of a run as lines of tokens, each on the colour of its depth with the depth as a small digit below it, prompt
/// tokens underlined: where everything is, and how it is drawn. Coordinates are those of the page, from (0, 0).
class TokenFlow {
public:
    explicit TokenFlow(const TraceModel&);

    void setTheme(const Theme&);  ///< reset() follows
    void reset(double width);     ///< lays out anew, all tokens that are there, on a page of that width
    void extend();                ///< lays out those that have come since; only the last word may move

    /// What is drawn for a token.
    struct Box {
        QRectF area;
        QString text;
        QString depth;  ///< the digit below; empty for models without recursions
        bool prompt = false;
        QColor ground;
        QColor outline;  ///< invalid: none
        QColor ink;
    };
    Box box(int token) const;
    const QRectF& area(int token) const { return layout_.box(token); }
    int count() const { return layout_.count(); }
    int at(const QPointF& point) const { return layout_.at(point); }  ///< -1: none
    double pageWidth() const { return layout_.metrics().width; }
    double lineHeight() const { return layout_.metrics().lineHeight; }
    double height() const { return layout_.height(); }  ///< of all lines

    /// Tokens of the lines between two heights; returns the first of them and one past the last.
    std::pair<int, int> draw(QPainter&, double top, double bottom) const;
    void drawMark(QPainter&, int token, bool dashed) const;

private:
    struct Look {  ///< of the tokens of one depth
        QColor ground, outline, ink;
    };
    FlowItem itemFor(int token) const;
    void drawBox(QPainter&, const Box&) const;

    const TraceModel& model_;
    Theme theme_;
    std::vector<Look> looks_;  ///< [R + 1] by depth
    FlowLayout layout_;
};

}  // namespace mor::ui
