// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/text_lines.hpp"

#include <QCache>
#include <QFontMetricsF>
#include <QPaintEngine>
#include <QStaticText>
#include <algorithm>

namespace mor::ui {
namespace {

constexpr qsizetype kMostLines = 8192;
constexpr qsizetype kLongestKept = 128;

struct Key {
    QString text;
    int pixels;
    int weight;
    bool turned;  // glyphs are placed for one direction

    bool operator==(const Key&) const = default;
};

size_t qHash(const Key& key, size_t seed = 0) { return qHashMulti(seed, key.text, key.pixels, key.weight, key.turned); }

struct Line {
    QFont font;
    QStaticText text;
    double width;
    double height;
};

/// Never destroyed: glyphs may not be released once the application is gone.
QCache<Key, Line>& lines() {
    static auto& lines = *new QCache<Key, Line>(kMostLines);
    return lines;
}

/// Long texts seldom come twice, and line breaks would make more than one line of it.
bool isKept(const QString& text) {
    return text.size() <= kLongestKept && std::none_of(text.begin(), text.end(), [](QChar c) {
               return c.category() == QChar::Other_Control || c == QChar::LineSeparator || c == QChar::ParagraphSeparator;
           });
}

const Line& lineOf(const QFont& font, const QString& text, bool turned) {
    const Key key{text, font.pixelSize(), font.weight(), turned};
    if (const auto* known = lines().object(key); known && known->font == font) return *known;
    const QFontMetricsF metrics(font);
    auto* line = new Line{font, QStaticText(text), metrics.horizontalAdvance(text), metrics.height()};
    line->text.setTextFormat(Qt::PlainText);
    line->text.setPerformanceHint(QStaticText::AggressiveCaching);
    lines().insert(key, line);  // which owns it now
    return *lines().object(key);
}

QPointF placed(const QRectF& area, Qt::Alignment alignment, const Line& line) {
    const double besides = area.width() - line.width, above = area.height() - line.height;
    const double x = alignment & Qt::AlignRight ? besides : alignment & Qt::AlignHCenter ? besides / 2 : 0;
    const double y = alignment & Qt::AlignBottom ? above : alignment & Qt::AlignVCenter ? above / 2 : 0;
    return area.topLeft() + QPointF(x, y);
}

}  // namespace

double textWidth(const QFont& font, const QString& text) {
    return isKept(text) ? lineOf(font, text, false).width : QFontMetricsF(font).horizontalAdvance(text);
}

void drawLine(QPainter& painter, const QRectF& area, Qt::Alignment alignment, const QString& text) {
    if (text.isEmpty()) return;
    const auto font = painter.font();
    const bool fits = textWidth(font, text) <= area.width() + 0.5;
    const auto shown = fits ? text : QFontMetricsF(font).elidedText(text, Qt::ElideRight, area.width() + 0.5);
    // Files keep text as text; only the screen's own engine draws laid out glyphs faster.
    if (!isKept(shown) || painter.paintEngine()->type() != QPaintEngine::Raster) {
        painter.drawText(area, static_cast<int>(alignment) | Qt::TextSingleLine, shown);
        return;
    }
    const bool turned = painter.transform().type() > QTransform::TxTranslate;
    const auto& line = lineOf(font, shown, turned);
    painter.drawStaticText(placed(area, alignment, line), line.text);
}

}  // namespace mor::ui
