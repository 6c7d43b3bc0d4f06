// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/text/word_bars.hpp"

#include <algorithm>
#include <cmath>

#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

constexpr double kTitle = 24, kLowest = 20, kHighest = 36, kBar = 14;
constexpr double kWord = 88, kNumber = 44;

}  // namespace

void drawWordBars(QPainter& painter, const Theme& theme, const QRectF& area, const QString& title, const QColor& colour,
                  const std::vector<mor::Alternative>& words) {
    painter.setFont(theme.caption());
    painter.setPen(theme.frame().caption);
    drawLine(painter, {area.left(), area.top(), area.width(), theme.px(kTitle)}, Qt::AlignLeft | Qt::AlignVCenter, title);
    if (words.empty()) return;
    const double room = area.height() - theme.px(kTitle);
    const double line = std::clamp(room / static_cast<double>(words.size()), theme.px(kLowest), theme.px(kHighest));
    const double track = area.width() - theme.px(kWord + kNumber);
    double y = area.top() + theme.px(kTitle);
    for (const auto& word : words) {
        if (y + line > area.bottom() + 1) return;
        const double share = std::exp(word.logprob);
        painter.setPen(theme.frame().text);
        drawLine(painter, {area.left(), y, theme.px(kWord - 8), line}, Qt::AlignLeft | Qt::AlignVCenter,
                 quoted(QString::fromStdString(word.label)));
        drawScoreBar(painter, theme,
                     {area.left() + theme.px(kWord), y + (line - theme.px(kBar)) / 2, track, theme.px(kBar)}, colour, share,
                     -1);
        painter.setPen(theme.frame().caption);
        drawLine(painter, {area.right() - theme.px(kNumber), y, theme.px(kNumber), line}, Qt::AlignRight | Qt::AlignVCenter,
                 scoreText(share));
        y += line;
    }
}

}  // namespace mor::ui
