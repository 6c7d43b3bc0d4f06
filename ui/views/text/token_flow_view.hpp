// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractScrollArea>

#include "models/selection.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

class Later;
class FollowingBar;
class TraceModel;

/// The text itself: every token on the colour of its depth, with the depth as a small digit below it. Prompt tokens
/// are underlined. Follows the newest token unless the reader scrolled up.
class TokenFlowView : public QAbstractScrollArea, public Picture {
    Q_OBJECT

public:
    TokenFlowView(TraceModel*, Selection*, QWidget* parent = nullptr);

    /// What the painter draws for a token.
    struct Box {
        QRectF area;  ///< in content coordinates, scrolling not applied
        QString text;
        QString depth;  ///< the digit below; empty for models without recursions
        bool prompt = false;
        QColor ground;
        QColor outline;  ///< invalid: none
        QColor ink;
    };
    Box boxAt(int token) const { return makeBox(token, layout_.box(token)); }
    QRectF viewportRect(int token) const;       ///< where it is on the viewport now
    int tokenAt(const QPoint& viewport) const;  ///< -1: none

    void showBeginning();  ///< and stay there, instead of following the newest token

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    bool viewportEvent(QEvent*) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    struct Look {  ///< of the tokens of one depth
        QColor ground;
        QColor outline;
        QColor ink;
    };
    void mixLooks();

    FlowMetrics metricsFor(double width) const;
    FlowItem itemFor(int token, const QFont&, double pageWidth) const;
    Box makeBox(int token, const QRectF& area) const;
    double contentHeight() const;
    void reveal(const QRectF& box);
    void extendLayout();
    void rebuildLayout();
    void restart();
    void selectionChanged();
    void point(const QPoint& viewport, bool pin);
    QString emptyText() const;
    void drawTokens(QPainter&, const FlowLayout&, double top, double bottom) const;
    void drawToken(QPainter&, const Box&) const;
    void drawMark(QPainter&, const QRectF& box, bool second) const;

    TraceModel* model_;
    Selection* selection_;
    FollowingBar* bar_;
    Later* describer_;
    Selection::Marks marks_;  ///< as painted
    bool pointing_ = false;   ///< the reader is pointing here: nothing may slide away under the pointer
    Theme theme_;
    std::vector<Look> looks_;  ///< [R + 1] by depth
    FlowLayout layout_;
};

/// How a token is written in the flow: line breaks as "↵", tabs as "⇥", lone blanks as "␣", the blank before a word
/// left out; the label where a token adds no text of its own.
QString flowText(const QString& piece, const QString& label);

}  // namespace mor::ui
