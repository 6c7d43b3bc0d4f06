// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/token_detail_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/geometry.hpp"
#include "views/interaction.hpp"
#include "views/later.hpp"
#include "views/painting.hpp"

namespace mor::ui {
namespace {

constexpr int kMostAlternatives = 5;
constexpr int kMostExitWords = 3;
constexpr double kName = 84;  // "recursion 12"
constexpr double kScore = 48;
constexpr double kGate = 76;
constexpr double kOutcome = 104;
constexpr double kMargin = 100;
constexpr double kRoomForMargin = 480;  // narrower cards leave the margin to the tooltip

QString outcomeOf(const TraceModel& model, int token, const HeatCell& cell, const mor::Decision& decision, int recursion) {
    if (cell.glyph == CellGlyph::Chosen) return TokenDetailView::tr("◆ chosen");
    if (decision.outcome == mor::Outcome::NotOffered)
        return choosesDepth(model) || token >= model.tokenCount() ? QString() : TokenDetailView::tr("not offered");
    if (decision.outcome == mor::Outcome::Take && recursion + 1 == model.recursions())
        return TokenDetailView::tr("● taken");
    return glyphText(cell.glyph) + QLatin1Char(' ') + outcomeText(decision.outcome);
}

/// "+0.306": a true minus sign, and nothing where one of the two was never computed.
QString differenceText(double here, double there) {
    if (!std::isfinite(here) || !std::isfinite(there)) return QStringLiteral("–");
    const double difference = here - there;
    return (difference < 0 ? QChar(0x2212) : QLatin1Char('+')) + QLocale().toString(std::abs(difference), 'f', 3);
}

QString probabilityText(double logprob) { return QLocale().toString(std::exp(logprob), 'f', 3); }

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
    connect(selection, &Selection::changed, this, [=, this, shown = Selection::Marks{}]() mutable {
        std::exchange(shown, selection_->marks()) == selection_->marks() ? following->soon() : following->now();
    });
    refresh();
}

int TokenDetailView::shownToken() const { return selection_->current(); }

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
        texts += quoted(QString::fromStdString(alternative.piece)) + QLatin1Char(' ') +
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
            words += quoted(QString::fromStdString(word.piece)) + QLatin1Char(' ') +
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

void TokenDetailView::drawInto(QPainter& painter, const QRectF& area) const {
    const int token = shownToken();
    if (token < 0)
        return drawEmptyState(painter, theme_, area, tr("Point at a token to see why it went as deep as it did."));
    painter.save();
    double y = drawRows(painter, area, token);
    y = drawNumbers(painter, {area.left(), y, area.width(), area.bottom() - y}, token);
    y = drawExits(painter, {area.left(), y, area.width(), area.bottom() - y}, token);
    drawAlternatives(painter, {area.left(), y, area.width(), area.bottom() - y}, token);
    painter.restore();
}

double TokenDetailView::rowHeight(double available) const {
    const double rows = std::max(1, model_->recursions());
    const auto more = static_cast<double>(exits(shownToken()).size());  // lines below that want room too
    return std::clamp((available - theme_.px(more > 0 ? 44 + 16 * more : 84)) / rows, theme_.px(16), theme_.px(36));
}

double TokenDetailView::drawRows(QPainter& painter, const QRectF& area, int token) const {
    const auto shown = rows(token), compared = rows(comparedToken());
    if (shown.empty()) return area.top();
    const double height = rowHeight(area.height());
    for (const auto& row : shown) {
        const QRectF line(area.left(), area.top() + row.recursion * height, area.width(), height);
        drawRow(painter, line, row, comparedToken() < 0 ? nullptr : &compared[static_cast<std::size_t>(row.recursion)]);
    }
    return area.top() + height * static_cast<double>(shown.size()) + theme_.px(4);
}

void TokenDetailView::drawRow(QPainter& painter, const QRectF& line, const Row& row, const Row* compared) const {
    const auto& frame = theme_.frame();
    const bool roomy = line.width() >= theme_.px(kRoomForMargin);
    const double right = line.right() - theme_.px(kOutcome), margin = roomy ? right - theme_.px(kMargin) : right;
    const double gate = margin - theme_.px(kGate), score = gate - theme_.px(kScore);
    const double bar = std::min(theme_.px(16), line.height() - theme_.px(8));
    const QRectF track(line.left() + theme_.px(kName), line.center().y() - bar / 2,
                       std::max(theme_.px(24), score - line.left() - theme_.px(kName)), bar);
    drawScoreBar(painter, theme_, track, row.colour, row.share, row.tick);
    if (compared) {  // the first pin, as a thin bar on the lower edge
        const QRectF thin(track.left(), track.bottom() - theme_.px(4),
                          track.width() * std::clamp(compared->share, 0.0, 1.0), theme_.px(4));
        painter.fillRect(thin, frame.text);
    }
    painter.setFont(theme_.caption());
    painter.setPen(frame.caption);
    const auto middle = Qt::AlignVCenter;
    drawLine(painter, {line.left(), line.top(), theme_.px(kName - 8), line.height()}, Qt::AlignLeft | middle,
             tr("recursion %1").arg(row.recursion + 1));
    drawLine(painter, {gate, line.top(), theme_.px(kGate), line.height()}, Qt::AlignRight | middle,
             compared ? tr("Δ %1").arg(differenceText(row.value, compared->value)) : tr("gate %1").arg(row.gate));
    if (roomy)
        drawLine(painter, {margin, line.top(), theme_.px(kMargin), line.height()}, Qt::AlignRight | middle,
                 tr("margin %1").arg(row.margin));
    painter.setPen(frame.text);
    drawLine(painter, {score, line.top(), theme_.px(kScore), line.height()}, Qt::AlignRight | middle, row.score);
    drawLine(painter, {right + theme_.px(12), line.top(), theme_.px(kOutcome - 12), line.height()}, Qt::AlignLeft | middle,
             row.outcome);
}

QString TokenDetailView::difference() const {
    const int other = comparedToken();
    if (other < 0) return {};
    const auto &here = model_->token(shownToken()), &there = model_->token(other);
    QStringList parts;
    if (model_->recursions() > 0) parts += tr("depth %1 against %2").arg(here.depth).arg(there.depth);
    if (!std::isnan(here.logprob) && !std::isnan(there.logprob))
        parts += tr("probability %1 against %2").arg(probabilityText(here.logprob), probabilityText(there.logprob));
    if (here.flops > 0 && there.flops > 0)
        parts +=
            tr("%1FLOP against %2").arg(siText(static_cast<double>(here.flops)), siText(static_cast<double>(there.flops)));
    return parts.join(QStringLiteral(" · "));
}

double TokenDetailView::drawNumbers(QPainter& painter, const QRectF& area, int token) const {
    const auto& record = model_->token(token);
    QStringList parts;
    if (comparedToken() >= 0) {
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().selection);
        drawLine(painter, {area.left(), area.top(), area.width(), theme_.px(20)}, Qt::AlignLeft | Qt::AlignVCenter,
                 difference());
        return area.top() + theme_.px(24);
    }
    if (!std::isnan(record.logprob)) parts += tr("probability %1").arg(probabilityText(record.logprob));
    if (record.flops > 0)
        parts += tr("%1FLOP, vanilla %2 computed")
                     .arg(siText(static_cast<double>(record.flops)), siText(static_cast<double>(record.flops_vanilla)));
    if (record.prompt) parts.prepend(tr("prompt"));
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    drawLine(painter, {area.left(), area.top(), area.width(), theme_.px(20)}, Qt::AlignLeft | Qt::AlignVCenter,
             parts.join(QStringLiteral(" · ")));
    return area.top() + theme_.px(24);
}

double TokenDetailView::drawExits(QPainter& painter, const QRectF& area, int token) const {
    const auto lines = exits(token);
    const double line = theme_.px(16);
    if (lines.isEmpty() || area.height() < 2 * line) return area.top();
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    drawLine(painter, {area.left(), area.top(), area.width(), line}, Qt::AlignLeft | Qt::AlignVCenter,
             tr("If it stopped here the next token would be"));
    painter.setPen(theme_.frame().text);
    double y = area.top() + line;
    for (const QString& text : lines) {
        if (y + line > area.bottom()) break;
        drawLine(painter, {area.left(), y, area.width(), line}, Qt::AlignLeft | Qt::AlignVCenter, text);
        y += line;
    }
    return y + theme_.px(4);
}

void TokenDetailView::drawAlternatives(QPainter& painter, const QRectF& area, int token) const {
    const auto texts = alternatives(token);
    if (texts.isEmpty() || area.height() < theme_.px(36)) return;
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const double line = theme_.px(20);
    drawLine(painter, {area.left(), area.top(), area.width(), line}, Qt::AlignLeft | Qt::AlignVCenter,
             tr("What could have stood here"));
    painter.setPen(theme_.frame().text);
    const auto font = theme_.caption();
    double x = area.left(), y = area.top() + line;
    for (const QString& text : texts) {  // like words on a page
        const double width = textWidth(font, text) + 1;
        if (x > area.left() && x + width > area.right()) {
            x = area.left();
            y += line;
        }
        if (y + line > area.bottom() + 1) return;
        drawLine(painter, {x, y, std::min(width, area.right() - x), line}, Qt::AlignLeft | Qt::AlignVCenter, text);
        x += width + theme_.px(16);
    }
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
