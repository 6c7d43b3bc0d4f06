// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_detail_view.hpp"

#include <algorithm>

#include "views/kit/interaction.hpp"
#include "views/kit/token_name.hpp"
#include "views/text/token_card.hpp"

namespace mor::ui {
namespace {

ViewTraits traits() {
    return {TokenDetailView::tr("Token"),
            TokenDetailView::tr("Point at a token to see why it went as deep as it did."),
            {440, 200},
            {360, 140}};
}

}  // namespace

TokenDetailView::TokenDetailView(TraceModel* model, Selection* selection, QWidget* parent)
    : WholeView(model, selection, traits(), parent) {
    setTheme({});
    TokenDetailView::refresh();
}

int TokenDetailView::shownToken() const { return std::min(shown_, model_->tokenCount() - 1); }

int TokenDetailView::comparedToken() const {
    return selection_->pinned() >= 0 && selection_->pinned() != shownToken() ? selection_->pinned() : -1;
}

QString TokenDetailView::title() const {
    const int token = shownToken();
    if (token < 0) return tr("Token");
    const auto name = tr("Token %1 · %2").arg(token).arg(quoted(tokenName(*model_, token)));
    const int compared = comparedToken();
    return compared < 0 ? name : tr("%1 against %2 · %3").arg(name).arg(compared).arg(quoted(tokenName(*model_, compared)));
}

QString TokenDetailView::caption() const {
    const int token = shownToken();
    if (token < 0) return {};
    if (model_->recursions() == 0) return tr("no recursions");
    return tr("depth %1 of %2").arg(model_->token(token).depth).arg(model_->recursions());
}

void TokenDetailView::refresh() {
    shown_ = selection_->current();
    if (const auto now = title(), about = caption(); now != shownTitle_ || about != shownCaption_) {
        shownTitle_ = now;
        shownCaption_ = about;
        emit titleChanged(now, about);
    }
    WholeView::refresh();
}

QString TokenDetailView::difference() const {
    const int other = comparedToken();
    return other < 0 ? QString() : differenceOf(*model_, shownToken(), other).join(QStringLiteral(" · "));
}

QString TokenDetailView::emptyText() const { return shownToken() < 0 ? traits_.invitation : QString(); }

QString TokenDetailView::describe() const { return tokenTip(*model_, shownToken()); }

void TokenDetailView::draw(QPainter& painter, const QRectF& area) const {
    TokenCard(*model_, colours_, theme_, shownToken(), comparedToken()).draw(painter, area);
}

}  // namespace mor::ui
