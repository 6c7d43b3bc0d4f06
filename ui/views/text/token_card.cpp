// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/token_card.hpp"

#include <QCoreApplication>
#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"
#include "views/text/word_bars.hpp"

namespace mor::ui {
namespace {

constexpr double kName = 84;  // "recursion 12"
constexpr double kScore = 48;
constexpr double kGate = 76;
constexpr double kOutcome = 104;
constexpr double kMargin = 100;
constexpr double kLine = 16, kNumbers = 20;
constexpr double kRoomForBars = 200;  // below the recursions
constexpr double kNarrowestColumn = 260, kWidestColumn = 420, kBarGap = 28;
constexpr double kRoomForMargin = 480;  // narrower cards leave the margin to the tooltip
constexpr double kShareOfExits = 0.62, kColumnGap = 12;

QString tr(const char* text) { return QCoreApplication::translate("mor::ui::TokenDetailView", text); }

/// "+0.306": a true minus sign, and nothing where one of the two was never computed.
QString differenceText(double here, double there) {
    if (!std::isfinite(here) || !std::isfinite(there)) return QStringLiteral("–");
    const double difference = here - there;
    return (difference < 0 ? QChar(0x2212) : QLatin1Char('+')) + QLocale().toString(std::abs(difference), 'f', 3);
}

/// As many words as fit, whole; the first in any case.
QString wordsThatFit(const QFont& font, QString line, const QStringList& words, double width) {
    for (qsizetype i = 0; i < words.size(); ++i) {
        const auto longer = line + (i > 0 ? QStringLiteral("   ") : QString()) + words[i];
        if (i > 0 && textWidth(font, longer) > width) break;
        line = longer;
    }
    return line;
}

}  // namespace

TokenCard::TokenCard(const TraceModel& model, const HeatColours& colours, const Theme& theme, int token, int compared)
    : model_(model),
      theme_(theme),
      token_(token),
      compared_(compared),
      rows_(routedRows(model, colours, token)),
      comparedRows_(compared < 0 ? std::vector<RoutedRow>() : routedRows(model, colours, compared)),
      alternatives_(alternativesOf(model, token)),
      exits_(exitsOf(model, token)) {}

void TokenCard::draw(QPainter& painter, const QRectF& area) const {
    double y = drawRows(painter, area);
    y = drawNumbers(painter, {area.left(), y, area.width(), area.bottom() - y});
    const QRectF rest(area.left(), y, area.width(), area.bottom() - y);
    if (rest.height() >= theme_.px(kRoomForBars) && barPitch(rest.width()) >= theme_.px(kNarrowestColumn))
        drawBars(painter, rest);
    else
        drawWords(painter, rest);
}

double TokenCard::rowHeight(double available) const {
    const double rows = std::max(1, model_.recursions());
    const auto exits = static_cast<double>(exits_.size());  // lines below that want room too
    const double below = exits > 0 ? kNumbers + 4 + kLine * (exits + 1) : 84;
    return std::clamp((available - theme_.px(below)) / rows, theme_.px(kLine - 1), theme_.px(36));
}

double TokenCard::drawRows(QPainter& painter, const QRectF& area) const {
    if (rows_.empty()) return area.top();
    const double height = rowHeight(area.height());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        const QRectF line(area.left(), area.top() + static_cast<double>(r) * height, area.width(), height);
        drawRow(painter, line, rows_[r], comparedRows_.empty() ? nullptr : &comparedRows_[r]);
    }
    return area.top() + height * static_cast<double>(rows_.size()) + theme_.px(4);
}

void TokenCard::drawRow(QPainter& painter, const QRectF& line, const RoutedRow& row, const RoutedRow* compared) const {
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

double TokenCard::drawNumbers(QPainter& painter, const QRectF& area) const {
    painter.setFont(theme_.caption());
    painter.setPen(compared_ >= 0 ? theme_.frame().selection : theme_.frame().caption);
    QRectF line(area.left(), area.top(), area.width(), theme_.px(kNumbers));
    QString text;
    // What does not fit into one line goes on in the next.
    for (const auto& part : compared_ >= 0 ? differenceOf(model_, token_, compared_) : numbersOf(model_, token_)) {
        const auto longer = text.isEmpty() ? part : text + QStringLiteral(" · ") + part;
        if (!text.isEmpty() && textWidth(theme_.caption(), longer) > line.width()) {
            drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter, text);
            line.translate(0, theme_.px(kLine));
            text = part;
        } else {
            text = longer;
        }
    }
    drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter, text);
    return line.bottom();
}

/// Where there is no room for bars. Exits and alternatives stand side by side: neither pushes the other out of the card.
void TokenCard::drawWords(QPainter& painter, const QRectF& area) const {
    painter.setFont(theme_.caption());
    if (exits_.empty()) return drawAlternativesBelow(painter, area.adjusted(0, theme_.px(4), 0, 0));
    const double left = alternatives_.isEmpty() ? area.width() : area.width() * kShareOfExits;
    drawExits(painter, {area.left(), area.top(), left - theme_.px(kColumnGap), area.height()});
    if (!alternatives_.isEmpty()) drawAlternatives(painter, area.adjusted(left, 0, 0, 0));
}

void TokenCard::drawExits(QPainter& painter, const QRectF& area) const {
    QRectF line(area.left(), area.top(), area.width(), theme_.px(kLine));
    painter.setPen(theme_.frame().caption);
    drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter, tr("Next, if it stopped here"));
    painter.setPen(theme_.frame().text);
    for (const auto& exit : exits_) {
        line.translate(0, line.height());
        if (line.bottom() > area.bottom() + 1) return;
        drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter,
                 wordsThatFit(theme_.caption(), tr("after %1:  ").arg(exit.recursion + 1), exit.words, line.width()));
    }
}

void TokenCard::drawAlternatives(QPainter& painter, const QRectF& area) const {
    QRectF line(area.left(), area.top(), area.width(), theme_.px(kLine));
    painter.setPen(theme_.frame().caption);
    drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter, tr("Could have stood here"));
    painter.setPen(theme_.frame().text);
    for (const QString& text : alternatives_) {
        line.translate(0, line.height());
        if (line.bottom() > area.bottom() + 1) return;
        drawLine(painter, line, Qt::AlignLeft | Qt::AlignVCenter, text);
    }
}

/// Like words on a page.
void TokenCard::drawAlternativesBelow(QPainter& painter, const QRectF& area) const {
    const double line = theme_.px(20);
    if (alternatives_.isEmpty() || area.height() + 1 < 2 * line) return;
    painter.setPen(theme_.frame().caption);
    drawLine(painter, {area.left(), area.top(), area.width(), line}, Qt::AlignLeft | Qt::AlignVCenter,
             tr("What could have stood here"));
    painter.setPen(theme_.frame().text);
    double x = area.left(), y = area.top() + line;
    for (const QString& text : alternatives_) {
        const double width = textWidth(theme_.caption(), text) + 1;
        if (x > area.left() && x + width > area.right()) {
            x = area.left();
            y += line;
        }
        if (y + line > area.bottom() + 1) return;
        drawLine(painter, {x, y, std::min(width, area.right() - x), line}, Qt::AlignLeft | Qt::AlignVCenter, text);
        x += width + theme_.px(16);
    }
}

/// From one column of bars to the next; 0 where there are none.
double TokenCard::barPitch(double width) const {
    const auto& record = model_.token(token_);
    const auto columns = static_cast<double>(record.exits.size() + !record.top.empty());
    return columns == 0 ? 0 : std::min((width + theme_.px(kBarGap)) / columns, theme_.px(kWidestColumn));
}

/// With room to spare: what it would say after each recursion, and what else could have stood here, side by side.
void TokenCard::drawBars(QPainter& painter, const QRectF& area) const {
    const auto& record = model_.token(token_);
    const double pitch = barPitch(area.width());
    QRectF column(area.left(), area.top() + theme_.px(12), pitch - theme_.px(kBarGap), area.height() - theme_.px(12));
    for (const auto& exit : record.exits) {
        drawWordBars(painter, theme_, column, tr("Next, if it stopped after %1").arg(exit.recursion + 1),
                     theme_.depth(exit.recursion + 1, model_.recursions()), exit.top);
        column.translate(pitch, 0);
    }
    if (!record.top.empty())
        drawWordBars(painter, theme_, column, tr("What could have stood here"), theme_.frame().neutral, record.top);
}

}  // namespace mor::ui
