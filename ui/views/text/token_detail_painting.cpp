// SPDX-License-Identifier: GPL-3.0-or-later
// The looks of TokenDetailView.
#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/word_bars.hpp"

namespace mor::ui {
namespace {

constexpr double kName = 84;  // "recursion 12"
constexpr double kScore = 48;
constexpr double kGate = 76;
constexpr double kOutcome = 104;
constexpr double kMargin = 100;
constexpr double kRoomForBars = 200;  // below the recursions
constexpr double kNarrowestColumn = 260, kWidestColumn = 420, kBarGap = 28;
constexpr double kRoomForMargin = 480;  // narrower cards leave the margin to the tooltip

/// "+0.306": a true minus sign, and nothing where one of the two was never computed.
QString differenceText(double here, double there) {
    if (!std::isfinite(here) || !std::isfinite(there)) return QStringLiteral("–");
    const double difference = here - there;
    return (difference < 0 ? QChar(0x2212) : QLatin1Char('+')) + QLocale().toString(std::abs(difference), 'f', 3);
}

}  // namespace

void TokenDetailView::drawInto(QPainter& painter, const QRectF& area) const {
    const int token = shownToken();
    if (token < 0)
        return drawEmptyState(painter, theme_, area, tr("Point at a token to see why it went as deep as it did."));
    painter.save();
    double y = drawRows(painter, area, token);
    y = drawNumbers(painter, {area.left(), y, area.width(), area.bottom() - y}, token);
    const QRectF rest(area.left(), y, area.width(), area.bottom() - y);
    if (rest.height() >= theme_.px(kRoomForBars) && barPitch(rest.width(), token) >= theme_.px(kNarrowestColumn)) {
        drawBars(painter, rest, token);
    } else {
        y = drawExits(painter, rest, token);
        drawAlternatives(painter, {area.left(), y, area.width(), area.bottom() - y}, token);
    }
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
    if (!std::isnan(record.logprob)) parts += tr("probability %1").arg(scoreText(std::exp(record.logprob)));
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
    const double line = theme_.px(20);
    if (texts.isEmpty() || area.height() + 1 < 2 * line) return;
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
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

/// From one column of bars to the next; 0 where there are none.
double TokenDetailView::barPitch(double width, int token) const {
    const auto& record = model_->token(token);
    const auto columns = static_cast<double>(record.exits.size() + !record.top.empty());
    return columns == 0 ? 0 : std::min((width + theme_.px(kBarGap)) / columns, theme_.px(kWidestColumn));
}

/// With room to spare: what it would say after each recursion, and what else could have stood here, side by side.
void TokenDetailView::drawBars(QPainter& painter, const QRectF& area, int token) const {
    const auto& record = model_->token(token);
    const double pitch = barPitch(area.width(), token);
    QRectF column(area.left(), area.top() + theme_.px(8), pitch - theme_.px(kBarGap), area.height() - theme_.px(8));
    for (const auto& exit : record.exits) {
        drawWordBars(painter, theme_, column, tr("Next, if it stopped after %1").arg(exit.recursion + 1),
                     theme_.depth(exit.recursion + 1, model_->recursions()), exit.top);
        column.translate(pitch, 0);
    }
    if (!record.top.empty())
        drawWordBars(painter, theme_, column, tr("What could have stood here"), theme_.frame().neutral, record.top);
}

}  // namespace mor::ui
