// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/kit/token_view.hpp"
#include "views/text/token_flow.hpp"

namespace mor::ui {

class FollowingBar;

/// The text itself, as a page to scroll in. Follows the newest token unless the reader scrolled up.
class TokenFlowView : public TokenView<QAbstractScrollArea> {
    Q_OBJECT

public:
    TokenFlowView(TraceModel*, Selection*, QWidget* parent = nullptr);

    TokenFlow::Box boxAt(int token) const { return flow_.box(token); }  ///< on the page, scrolling not applied
    QRectF viewportRect(int token) const;                               ///< where it is on the viewport now
    int tokenAt(const QPointF& viewport) const override;

    void showBeginning();  ///< and stay there, instead of following the newest token

    double completeHeight(double width) const override;

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    void mixColours() override { flow_.setTheme(theme_); }
    void restyle() override;
    void restart() override;
    void extend() override;
    void rewind() override { layOut(); }
    void selectionChanged(bool acted) override;
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    double pageWidthIn(double width) const;
    TokenFlow flowIn(double width) const;  ///< the whole text on another page
    double contentHeight() const;
    void reveal(const QRectF& box);
    void layOut();
    void drawPart(QPainter&, const TokenFlow&, double top, double bottom) const;

    FollowingBar* bar_;
    TokenFlow flow_;
};

}  // namespace mor::ui
