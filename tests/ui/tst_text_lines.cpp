// SPDX-License-Identifier: GPL-3.0-or-later
// Lines laid out once look as lines that are laid out each time.
#include <QFontMetricsF>
#include <QImage>
#include <QPainter>
#include <QPicture>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <utility>

#include "views/kit/text_lines.hpp"
#include "views/kit/theme.hpp"

using namespace mor::ui;

class TextLinesTest : public QObject {
    Q_OBJECT

private slots:
    void looksAsEver_data();
    void looksAsEver();
    void widthsAreTheFonts();
    void filesKeepText();
    void manyLinesAndFonts();
};

namespace {

struct Setting {
    double ratio = 1;
    double turn = 0;
    double scale = 1;
};

template <class Draw>
QImage drawn(const Setting& setting, const QFont& font, Draw draw) {
    QImage image(QSize(240, 120) * setting.ratio, QImage::Format_RGB32);
    image.setDevicePixelRatio(setting.ratio);
    image.fill(Qt::white);
    QPainter painter(&image);
    painter.translate(20, 40);
    painter.rotate(setting.turn);
    painter.scale(setting.scale, setting.scale);
    painter.setFont(font);
    painter.setPen(Qt::black);
    draw(painter);
    return image;
}

/// Mean and largest difference of a pixel's grey.
std::pair<double, int> difference(const QImage& a, const QImage& b) {
    double sum = 0;
    int most = 0;
    for (int y = 0; y < a.height(); ++y)
        for (int x = 0; x < a.width(); ++x) {
            const int d = std::abs(qGray(a.pixel(x, y)) - qGray(b.pixel(x, y)));
            sum += d;
            most = std::max(most, d);
        }
    return {sum / (a.width() * a.height()), most};
}

}  // namespace

void TextLinesTest::looksAsEver_data() {
    QTest::addColumn<QString>("text");
    QTest::newRow("word") << QStringLiteral("servant");
    QTest::newRow("number") << QStringLiteral("1,048.5");
    QTest::newRow("signs") << QStringLiteral("● continues ○ ◐ ↵ – \"&\"");
    QTest::newRow("Korean") << QStringLiteral("모델을 연다");
    QTest::newRow("too long") << QStringLiteral("background = depth, underlined = prompt, and more than fits");
    QTest::newRow("line break") << QStringLiteral("two\nlines");
    QTest::newRow("blank") << QStringLiteral(" ");
    QTest::newRow("empty") << QString();
}

void TextLinesTest::looksAsEver() {
    QFETCH(QString, text);
    Theme theme;
    const QRectF area(0, 0, 120, 24);
    for (const auto& font : {theme.caption(), theme.title(), theme.token()})
        for (const auto alignment : {Qt::AlignLeft | Qt::AlignVCenter, Qt::AlignRight | Qt::AlignTop,
                                     Qt::AlignHCenter | Qt::AlignBottom, Qt::AlignCenter | Qt::AlignVCenter})
            for (const auto& setting : {Setting{}, Setting{.ratio = 2}, Setting{.turn = -60}, Setting{.scale = 1.5}}) {
                const auto plain = drawn(setting, font, [&](QPainter& painter) {
                    const auto shown = QFontMetricsF(font).elidedText(text, Qt::ElideRight, area.width() + 0.5);
                    painter.drawText(area, static_cast<int>(alignment) | Qt::TextSingleLine, shown);
                });
                const auto kept = drawn(setting, font, [&](QPainter& p) { drawLine(p, area, alignment, text); });
                const auto again = drawn(setting, font, [&](QPainter& p) { drawLine(p, area, alignment, text); });
                QCOMPARE(kept, again);
                // Glyphs are placed in quarters of a pixel, and a start between two of them may go either way.
                const auto [mean, most] = difference(plain, kept);
                const bool straight = setting.turn == 0 && setting.scale == 1;
                QVERIFY2(mean < (straight ? 0.2 : 1.0) && (!straight || most <= 70),
                         qPrintable(QStringLiteral("mean %1 most %2").arg(mean).arg(most)));
            }
}

void TextLinesTest::widthsAreTheFonts() {
    Theme theme;
    for (const auto& font : {theme.caption(), theme.token()})
        for (const auto& text :
             {QStringLiteral("had"), QStringLiteral(""), QStringLiteral("a\tb"), QString(500, QChar('x'))})
            for (int i = 0; i < 2; ++i) QCOMPARE(textWidth(font, text), QFontMetricsF(font).horizontalAdvance(text));
}

/// What is no screen gets characters, not glyphs.
void TextLinesTest::filesKeepText() {
    QPicture file;
    QPainter painter(&file);
    drawLine(painter, {0, 0, 100, 20}, Qt::AlignLeft, QStringLiteral("servant"));
    painter.end();
    QVERIFY(QByteArray(file.data(), static_cast<qsizetype>(file.size())).contains("servant") ||
            QByteArray(file.data(), static_cast<qsizetype>(file.size())).contains(QByteArray("\0s\0e\0r", 6)));
}

/// More than are kept, and the same words in several fonts in turns.
void TextLinesTest::manyLinesAndFonts() {
    Theme theme, large{.scale = 1.6};
    const QRectF area(0, 0, 200, 30);
    const auto word = [&](const QFont& font) {
        return drawn({}, font, [&](QPainter& p) { drawLine(p, area, Qt::AlignCenter, QStringLiteral("river")); });
    };
    const auto small = word(theme.caption()), bold = word(theme.title()), big = word(large.caption());
    auto other = theme.caption();
    other.setFamily(QStringLiteral("NanumGothic"));
    const auto foreign = word(other);
    QVERIFY(small != bold && small != big && small != foreign);
    drawn({}, theme.caption(), [&](QPainter& p) {
        for (int i = 0; i < 20000; ++i) drawLine(p, area, Qt::AlignCenter, QString::number(i));
    });
    QCOMPARE(word(theme.caption()), small);
    QCOMPARE(word(theme.title()), bold);
    QCOMPARE(word(large.caption()), big);
    QCOMPARE(word(other), foreign);
}

QTEST_MAIN(TextLinesTest)
#include "tst_text_lines.moc"
