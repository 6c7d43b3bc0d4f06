// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_detail_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr int kMostAlternatives = 5;
constexpr int kMostExitWords = 3;

QString outcomeOf(const TraceModel& model, int token, const HeatCell& cell, const mor::Decision& decision, int recursion) {
    if (cell.glyph == CellGlyph::Chosen) return TokenDetailView::tr("◆ chosen");
    if (decision.outcome == mor::Outcome::NotOffered)
        return choosesDepth(model) || token >= model.tokenCount() ? QString() : TokenDetailView::tr("not offered");
    if (decision.outcome == mor::Outcome::Take && recursion + 1 == model.recursions())
        return TokenDetailView::tr("● taken");
    return glyphText(cell.glyph) + QLatin1Char(' ') + outcomeText(decision.outcome);
}

}  // namespace

TokenDetailView::TokenDetailView(TraceModel* model, Selection* selection, QWidget* parent)
    : QWidget(parent),
      model_(model),
      selection_(selection),
      describer_(new Later(this, kDescribeLater, [this] { setAccessibleDescription(description()); })),
      colours_(theme_, model->recursions()) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Token"));
    setAttribute(Qt::WA_OpaquePaintEvent);
    connect(model, &QAbstractItemModel::modelReset, this, [this] {
        colours_ = HeatColours(theme_, model_->recursions());
        refresh();
    });
    // Nobody reads a card that changes with every token, so the newest one is shown a few times a second.
    auto* following = new Later(this, kDrawLater, [this] { refresh(); });
    connect(model, &TraceModel::extended, following, &Later::soon);
    connect(model, &TraceModel::rewound, following, &Later::now);
    connect(selection, &Selection::changed, this, [=, this, shown = Selection::Marks{}]() mutable {
        std::exchange(shown, selection_->marks()) == selection_->marks() ? following->soon() : following->now();
    });
    refresh();
}

int TokenDetailView::shownToken() const { return std::min(shown_, model_->tokenCount() - 1); }

int TokenDetailView::comparedToken() const {
    return selection_->pinned() >= 0 && selection_->pinned() != shownToken() ? selection_->pinned() : -1;
}

std::vector<TokenDetailView::Row> TokenDetailView::rows(int token) const {
    std::vector<Row> rows;
    for (int r = 0; model_->isRouted() && r < model_->recursions(); ++r) {
        const auto decision = model_->decision(token, r).value_or(mor::Decision{});
        const auto cell = heatCell(*model_, colours_, ColourBy::Depth, token, r);
        Row row;
        row.recursion = r;
        row.offered = cell.offered;
        row.share = cell.fill;
        row.tick = cell.tick;
        row.colour = cell.colour;
        row.value = decision.score;
        row.score = scoreText(decision.score);
        row.gate = scoreText(decision.gate);
        row.margin = scoreText(decision.margin);
        row.outcome = outcomeOf(*model_, token, cell, decision, r);
        rows.push_back(std::move(row));
    }
    return rows;
}

QStringList TokenDetailView::alternatives(int token) const {
    QStringList texts;
    if (token < 0 || token >= model_->tokenCount()) return texts;
    for (const auto& alternative : model_->token(token).top) {
        if (texts.size() == kMostAlternatives) break;
        texts += quoted(QString::fromStdString(alternative.label)) + QLatin1Char(' ') +
                 QLocale().toString(std::exp(alternative.logprob), 'f', 2);
    }
    return texts;
}

QStringList TokenDetailView::exits(int token) const {
    QStringList lines;
    if (token < 0 || token >= model_->tokenCount()) return lines;
    for (const auto& exit : model_->token(token).exits) {
        QStringList words;
        for (const auto& word : exit.top) {
            if (words.size() == kMostExitWords) break;
            words += quoted(QString::fromStdString(word.label)) + QLatin1Char(' ') +
                     QLocale().toString(std::exp(word.logprob), 'f', 2);
        }
        lines += tr("after %1:  %2").arg(exit.recursion + 1).arg(words.join(QStringLiteral("   ")));
    }
    return lines;
}

QString TokenDetailView::title() const {
    const int token = shownToken();
    if (token < 0) return tr("Token");
    const auto name = tr("Token %1 · %2").arg(token).arg(quoted(model_->label(token)));
    const int compared = comparedToken();
    return compared < 0 ? name : tr("%1 against %2 · %3").arg(name).arg(compared).arg(quoted(model_->label(compared)));
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
        selection_->marks().any() || model_->tokenCount() == 0 ? describer_->now() : describer_->soon();
    }
    update();
}

void TokenDetailView::setTheme(const Theme& theme) {
    theme_ = theme;
    colours_ = HeatColours(theme_, model_->recursions());
    updateGeometry();
    update();
}

QString TokenDetailView::difference() const {
    const int other = comparedToken();
    if (other < 0) return {};
    const auto &here = model_->token(shownToken()), &there = model_->token(other);
    QStringList parts;
    if (model_->recursions() > 0) parts += tr("depth %1 against %2").arg(here.depth).arg(there.depth);
    if (!std::isnan(here.logprob) && !std::isnan(there.logprob))
        parts += tr("probability %1 against %2").arg(scoreText(std::exp(here.logprob)), scoreText(std::exp(there.logprob)));
    if (here.flops > 0 && there.flops > 0)
        parts +=
            tr("%1FLOP against %2").arg(siText(static_cast<double>(here.flops)), siText(static_cast<double>(there.flops)));
    return parts.join(QStringLiteral(" · "));
}

QString TokenDetailView::description() const {
    return shownToken() < 0 ? tr("No token yet.") : tokenTip(*model_, shownToken());
}

QSize TokenDetailView::sizeHint() const { return QSizeF(theme_.px(440), theme_.px(200)).toSize(); }

QSize TokenDetailView::minimumSizeHint() const { return QSizeF(theme_.px(360), theme_.px(140)).toSize(); }

void TokenDetailView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

bool TokenDetailView::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        showTokenTip(*static_cast<QHelpEvent*>(event), this, *model_, shownToken());
        return true;
    }
    return QWidget::event(event);
}

void TokenDetailView::keyPressEvent(QKeyEvent* event) {
    if (!steer(*selection_, *model_, *event)) QWidget::keyPressEvent(event);
}

}  // namespace mor::ui
