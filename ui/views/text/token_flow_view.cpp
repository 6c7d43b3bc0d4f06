// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_flow_view.hpp"

#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "views/kit/following_bar.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kMargin = 4;    // around the page, so that outlines are not cut
constexpr double kOverhang = 4;  // pixels that marks may reach beyond their line

ViewTraits traits() {
    return {TokenFlowView::tr("Text coloured by depth"),
            TokenFlowView::tr("Type a prompt and press Generate: the text appears here, coloured by depth."),
            {640, 160},
            {240, 56}};
}

}  // namespace

TokenFlowView::TokenFlowView(TraceModel* model, Selection* selection, QWidget* parent)
    : TokenView(model, selection, traits(), parent), bar_(new FollowingBar(verticalScrollBar())), flow_(*model) {
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTheme({});
}

double TokenFlowView::pageWidthIn(double width) const { return width - 2 * theme_.px(kMargin); }

QRectF TokenFlowView::viewportRect(int token) const {
    return flow_.area(token).translated(theme_.px(kMargin), theme_.px(kMargin) - verticalScrollBar()->value());
}

int TokenFlowView::tokenAt(const QPointF& point) const {
    return flow_.at(point - QPointF(theme_.px(kMargin), theme_.px(kMargin) - verticalScrollBar()->value()));
}

void TokenFlowView::extend() {
    const int before = flow_.count();
    // Only the last line changes, or its last word moves to the next one.
    const double changed = before > 0 ? flow_.area(before - 1).top() + theme_.px(kMargin) - kOverhang : 0;
    flow_.extend();
    bar_->setContent(contentHeight(), viewport()->height(), selection_->marks().any());
    verticalScrollBar()->setSingleStep(qRound(flow_.lineHeight()));
    if (flow_.count() == before && before > 0) return;
    const int top = std::max(0, static_cast<int>(std::floor(changed)) - verticalScrollBar()->value());
    viewport()->update(0, top, viewport()->width(), viewport()->height() - top);
}

/// The picture moves as it is, so only what comes into sight is painted. Screens with fractions of pixels would blur it.
void TokenFlowView::scrollContentsBy(int, int dy) {
    const double ratio = devicePixelRatioF();
    ratio == std::floor(ratio) ? viewport()->scroll(0, dy) : viewport()->update();
}

/// Such that the end of the scroll range shows whole lines: half a line at the top cannot be read.
double TokenFlowView::contentHeight() const {
    const double line = flow_.lineHeight(), page = viewport()->height();
    const double lines = std::round(flow_.height() / line), fit = std::floor((page - theme_.px(kMargin)) / line);
    return page + std::max(0.0, lines - std::max(1.0, fit)) * line;
}

void TokenFlowView::reveal(const QRectF& box) {
    auto* bar = verticalScrollBar();
    const int before = bar->value();
    const double line = flow_.lineHeight();
    bar_->reveal(box.top(), box.top() + line);
    if (bar->value() == before) return;
    const double lines = bar->value() / line;
    bar_->scrollTo(qRound(line * (bar->value() < before ? std::floor(lines) : std::ceil(lines))));
}

void TokenFlowView::layOut() {
    flow_.reset(pageWidthIn(viewport()->width()));
    extend();
    viewport()->update();
}

void TokenFlowView::restart() {
    layOut();
    bar_->restart();
}

void TokenFlowView::showBeginning() { bar_->moveTo(0); }

void TokenFlowView::restyle() {
    bar_->setTheme(theme_);
    layOut();
}

void TokenFlowView::resizeEvent(QResizeEvent*) {
    if (flow_.pageWidth() != pageWidthIn(viewport()->width()))
        layOut();
    else
        extend();
    selectionChanged(false);  // what is chosen stays in sight
}

void TokenFlowView::selectionChanged(bool acted) {
    if (acted) viewport()->update();
    if (isPointedAt()) return;
    const int shown = selection_->current();
    if (!selection_->marks().any())
        bar_->toEndIfFollowing();
    else if (shown >= 0 && shown < flow_.count())
        reveal(flow_.area(shown));
}

void TokenFlowView::drawPart(QPainter& painter, const TokenFlow& flow, double top, double bottom) const {
    const auto [first, end] = flow.draw(painter, top, bottom);
    for (const auto& [token, dashed] : marksOf(*selection_, first, end)) flow.drawMark(painter, token, dashed);
}

void TokenFlowView::paintEvent(QPaintEvent* event) {
    const QRect dirty = event->rect();
    QPainter painter(viewport());
    painter.fillRect(dirty, theme_.frame().panel);
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, viewport()->rect(), empty);
    const double margin = theme_.px(kMargin), scrolled = verticalScrollBar()->value();
    painter.translate(margin, margin - scrolled);
    const double shift = scrolled - margin;
    drawPart(painter, flow_, shift + dirty.top() - kOverhang, shift + dirty.bottom() + 1 + kOverhang);
}

TokenFlow TokenFlowView::flowIn(double width) const {
    TokenFlow flow(*model_);
    flow.setTheme(theme_);
    flow.reset(pageWidthIn(width));
    return flow;
}

double TokenFlowView::completeHeight(double width) const { return flowIn(width).height() + 2 * theme_.px(kMargin); }

void TokenFlowView::draw(QPainter& painter, const QRectF& area) const {
    const auto flow = flowIn(area.width());
    painter.setClipRect(area);
    painter.translate(area.topLeft() + QPointF(theme_.px(kMargin), theme_.px(kMargin)));
    const double line = flow.lineHeight();
    drawPart(painter, flow, 0, std::floor((area.height() + 1) / line) * line);
}

QString TokenFlowView::describe() const {
    QString text;
    for (int i = 0; i < model_->tokenCount(); ++i) text += QString::fromStdString(model_->token(i).text);
    if (const auto tip = tokenTip(*model_, selection_->current()); !tip.isEmpty()) text += QLatin1Char('\n') + tip;
    return text;
}

}  // namespace mor::ui
