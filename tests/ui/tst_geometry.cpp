// SPDX-License-Identifier: GPL-3.0-or-later
#include <QLocale>
#include <QTest>
#include <cmath>
#include <limits>
#include <set>

#include "views/kit/geometry.hpp"
#include "views/kit/palette.hpp"
#include "views/kit/token_name.hpp"
#include "views/kit/theme.hpp"
#include "views/text/token_flow_view.hpp"

using namespace mor::ui;

Q_DECLARE_METATYPE(mor::ui::ColourMap)

class GeometryTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void cellsAndHitsAgree();
    void flowWrapsWholeWords();
    void flowBreaksLongWordsAndLines();
    void flowHitsWhatItLaidOut();
    void flowIsTheSameHoweverItGrew();
    void stepsAreNice_data();
    void stepsAreNice();
    void binarySteps();
    void decimationKeepsTheEnds();
    void simplifiedCurvesStayNear();
    void units_data();
    void units();
    void flowTexts();
    void mapsRiseInLightness_data();
    void mapsRiseInLightness();
    void anchorsAreExact();
    void depthsHaveFixedPlaces();
    void textIsReadableOnEveryDepth();
    void framesHaveContrast();
};

void GeometryTest::cellsAndHitsAgree() {
    const CellGrid grid{100, 10, 24, 30, 3};
    for (int column = 0; column < 50; ++column)
        for (int r = 0; r < 3; ++r) {
            const auto centre = grid.cell(column, r).center();
            QCOMPARE(grid.columnAt(centre.x()), column);
            QCOMPARE(grid.rowAt(centre.y()), r);
        }
    QVERIFY(grid.cell(0, 0).top() > grid.cell(0, 2).top());  // recursion 1 is at the bottom
    QVERIFY(grid.columnAt(99) < 0);
    QCOMPARE(grid.rowAt(9.9), -1);
    QCOMPARE(grid.rowAt(100.1), -1);
    QCOMPARE(grid.column(2), grid.cell(2, 0).united(grid.cell(2, 2)));
}

void GeometryTest::flowWrapsWholeWords() {
    FlowLayout layout;
    layout.reset({.width = 100, .wordGap = 10, .lineHeight = 40, .boxHeight = 20});
    layout.add({40, true, false});
    layout.add({30, true, false});   // 50..80
    layout.add({15, false, false});  // its second piece: 80..95
    layout.add({20, false, false});  // does not fit: the word moves down as a whole
    QCOMPARE(layout.box(0), QRectF(0, 0, 40, 20));
    QCOMPARE(layout.box(1), QRectF(0, 40, 30, 20));
    QCOMPARE(layout.box(2), QRectF(30, 40, 15, 20));
    QCOMPARE(layout.box(3), QRectF(45, 40, 20, 20));
    QCOMPARE(layout.height(), 80.0);
}

void GeometryTest::flowBreaksLongWordsAndLines() {
    FlowLayout layout;
    layout.reset({.width = 100, .wordGap = 10, .lineHeight = 40, .boxHeight = 20});
    for (int i = 0; i < 7; ++i) layout.add({30, i == 0, false});  // one word of 210 pixels
    for (int i = 0; i < 7; ++i) {
        QVERIFY(layout.box(i).right() <= 100);
        QCOMPARE(layout.box(i).top(), 40.0 * (i / 3));
    }
    layout.add({10, true, true});  // a line break
    layout.add({10, false, false});
    QCOMPARE(layout.box(8).left(), 0.0);
    QCOMPARE(layout.box(8).top(), layout.box(7).top() + 40);
}

void GeometryTest::flowHitsWhatItLaidOut() {
    FlowLayout layout;
    layout.reset({.width = 200, .wordGap = 8, .lineHeight = 44, .boxHeight = 28});
    for (int i = 0; i < 300; ++i) layout.add({10.0 + i * 7 % 23, i % 3 != 1, i % 29 == 0});
    for (int i = 0; i < layout.count(); ++i) {
        QCOMPARE(layout.at(layout.box(i).center()), i);
        QVERIFY(layout.box(i).left() >= 0 && layout.box(i).right() <= 200);
    }
    QCOMPARE(layout.at({-5, 10}), -1);
    QCOMPARE(layout.at({10, 1e6}), -1);
    QCOMPARE(layout.firstBelow(0), 0);
    QCOMPARE(layout.firstBelow(1e6), layout.count());
}

void GeometryTest::flowIsTheSameHoweverItGrew() {
    // Incremental by construction; what may not happen is that the finished lines move.
    FlowLayout layout;
    layout.reset({.width = 180, .wordGap = 8, .lineHeight = 44, .boxHeight = 28});
    std::vector<QRectF> before;
    for (int i = 0; i < 200; ++i) {
        layout.add({15.0 + i * 11 % 31, i % 4 == 0, false});
        for (std::size_t k = 0; k + 8 < before.size(); ++k) QCOMPARE(layout.box(static_cast<int>(k)), before[k]);
        before.clear();
        for (int k = 0; k <= i; ++k) before.push_back(layout.box(k));
    }
}

void GeometryTest::stepsAreNice_data() {
    QTest::addColumn<double>("range");
    QTest::addColumn<double>("step");
    QTest::newRow("ten") << 10.0 << 2.0;
    QTest::newRow("47") << 47.0 << 10.0;
    QTest::newRow("exact") << 50.0 << 10.0;
    QTest::newRow("tiny") << 0.003 << 0.001;
    QTest::newRow("large") << 4096.0 << 1000.0;
    QTest::newRow("nothing") << 0.0 << 1.0;
    QTest::newRow("not a number") << std::numeric_limits<double>::quiet_NaN() << 1.0;
}

void GeometryTest::stepsAreNice() {
    QFETCH(double, range);
    QTEST(niceStep(range, 5), "step");
    QVERIFY(niceStep(range, 0) > 0);
}

void GeometryTest::binarySteps() {
    QCOMPARE(niceBinaryStep(96, 4), 24.0);
    QCOMPARE(niceBinaryStep(64, 4), 16.0);
    QCOMPARE(niceBinaryStep(65, 4), 24.0);
    QCOMPARE(niceBinaryStep(4096, 1), 4096.0);
    QCOMPARE(niceBinaryStep(4097, 1), 6144.0);
    QCOMPARE(niceCeiling(92, 24), 96.0);
    QCOMPARE(niceCeiling(96, 24), 96.0);
    QCOMPARE(niceCeiling(0, 24), 24.0);
}

void GeometryTest::decimationKeepsTheEnds() {
    for (const int count : {1, 2, 499, 500, 501, 4096, 100'000}) {
        const auto kept = decimate(count, 500);
        QCOMPARE(static_cast<int>(kept.size()), std::min(count, 500));
        QCOMPARE(kept.front(), 0);
        QCOMPARE(kept.back(), count - 1);
        QVERIFY(std::is_sorted(kept.begin(), kept.end()));
        QCOMPARE(std::set<int>(kept.begin(), kept.end()).size(), kept.size());
    }
    QVERIFY(decimate(0, 500).empty());
    QVERIFY(decimate(-4, 500).empty());
}

void GeometryTest::simplifiedCurvesStayNear() {
    QList<QPointF> line, steps;
    for (int x = 0; x <= 200; ++x) {
        line.append(QPointF(x, 3.0 * x));
        steps.append(QPointF(x, x + 4 * std::sin(x * 0.11) + (x > 90 ? 20 : 0)));
    }
    QCOMPARE(simplify(line, 0.5), (QList<QPointF>{line.first(), line.last()}));
    QCOMPARE(simplify(steps.mid(0, 2), 0.5), steps.mid(0, 2));
    for (const double tolerance : {0.0, 0.1, 1.0, 5.0}) {
        const auto kept = simplify(steps, tolerance);
        QCOMPARE(kept.first(), steps.first());
        QCOMPARE(kept.last(), steps.last());
        qsizetype right = 1;
        for (const auto& point : steps) {
            while (kept[right].x() < point.x()) ++right;
            const auto from = kept[right - 1], way = kept[right] - from;
            QVERIFY(std::abs(from.y() + way.y() * (point.x() - from.x()) / way.x() - point.y()) <= tolerance + 1e-9);
        }
        QVERIFY(tolerance == 0 || kept.size() < steps.size() / 2);
    }
}

void GeometryTest::units_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("expected");
    QTest::newRow("bytes") << bytesText(512) << QStringLiteral("512\u00a0bytes");
    QTest::newRow("KiB") << bytesText(62'567) << QStringLiteral("61.1\u00a0KiB");
    QTest::newRow("MiB") << bytesText(5 << 20) << QStringLiteral("5.0\u00a0MiB");
    QTest::newRow("count") << countText(4096) << QStringLiteral("4,096");
    QTest::newRow("mega") << siText(6'120'000) << QStringLiteral("6.1\u00a0M");
    QTest::newRow("giga") << siText(250e9) << QStringLiteral("250\u00a0G");
    QTest::newRow("one") << siText(412) << QStringLiteral("412");
    QTest::newRow("share") << percentText(0.344) << QStringLiteral("34\u00a0%");
    QTest::newRow("score") << scoreText(0.6482) << QStringLiteral("0.648");
    QTest::newRow("no score") << scoreText(std::numeric_limits<double>::quiet_NaN()) << QStringLiteral("–");
    QTest::newRow("very short") << durationText(0.042) << QStringLiteral("42\u00a0µs");
    QTest::newRow("nothing") << durationText(0) << QStringLiteral("0.0\u00a0ms");
    QTest::newRow("short") << durationText(18) << QStringLiteral("18\u00a0ms");
    QTest::newRow("long") << durationText(2430) << QStringLiteral("2.4\u00a0s");
}

void GeometryTest::units() {
    QFETCH(QString, text);
    QTEST(text, "expected");
}

void GeometryTest::flowTexts() {
    QCOMPARE(flowText(QStringLiteral(" king"), {}), QStringLiteral("king"));
    QCOMPARE(flowText(QStringLiteral("\n"), {}), QStringLiteral("↵"));
    QCOMPARE(flowText(QStringLiteral("\r\n\n"), {}), QStringLiteral("↵↵"));
    QCOMPARE(flowText(QStringLiteral("  "), {}), QStringLiteral("␣␣"));
    QCOMPARE(flowText(QString(), QStringLiteral("<s>")), QStringLiteral("<s>"));
    QCOMPARE(flowText(QString(), {}), QStringLiteral("␣"));  // always something to point at
}

void GeometryTest::mapsRiseInLightness_data() {
    QTest::addColumn<ColourMap>("map");
    QTest::newRow("cividis") << ColourMap::Cividis;
    QTest::newRow("viridis") << ColourMap::Viridis;
    QTest::newRow("grey") << ColourMap::Grey;
}

void GeometryTest::mapsRiseInLightness() {
    QFETCH(ColourMap, map);
    double before = -1;
    for (int i = 0; i <= 200; ++i) {
        const double now = luminance(mapColour(map, i / 200.0));
        QVERIFY2(now >= before - 0.002, qPrintable(QString::number(i)));  // 8-bit channels round
        before = now;
    }
    QVERIFY(luminance(mapColour(map, 1)) - luminance(mapColour(map, 0)) > 0.7);
}

void GeometryTest::anchorsAreExact() {
    QCOMPARE(mapColour(ColourMap::Viridis, 0), QColor(0x440154));
    QCOMPARE(mapColour(ColourMap::Viridis, 1), QColor(0xfde725));
    QCOMPARE(mapColour(ColourMap::Viridis, 1.0 / 3), QColor(0x31688e));
    QCOMPARE(mapColour(ColourMap::Cividis, -4), QColor(0x00204d));
    QCOMPARE(blend(Qt::red, Qt::blue, 0), QColor(Qt::red));
    QCOMPARE(blend(Qt::red, Qt::blue, 1), QColor(Qt::blue));
}

void GeometryTest::depthsHaveFixedPlaces() {
    const auto depth = [](int d, int recursions) {
        return depthColour(ColourMap::Cividis, Appearance::Light, d, recursions);
    };
    QCOMPARE(depth(1, 1), depth(1, 3));
    QCOMPARE(depth(3, 3), depth(2, 2));
    QCOMPARE(depth(2, 3), depth(3, 5));
    QCOMPARE(depth(0, 3), frameOf(Appearance::Light).pale);
    // Colours belong to the data: the appearance of the frame does not change them.
    QCOMPARE(depthColour(ColourMap::Cividis, Appearance::Dark, 2, 3), depth(2, 3));
    std::set<QRgb> colours;
    for (int d = 0; d <= 8; ++d) colours.insert(depth(d, 8).rgb());
    QCOMPARE(static_cast<int>(colours.size()), 9);
}

void GeometryTest::textIsReadableOnEveryDepth() {
    for (const auto map : {ColourMap::Cividis, ColourMap::Viridis, ColourMap::Grey})
        for (int recursions = 1; recursions <= 8; ++recursions)
            for (int d = 1; d <= recursions; ++d) {
                const auto ground = depthColour(map, Appearance::Light, d, recursions);
                QVERIFY(contrast(textOn(ground), ground) >= 4.5);  // WCAG AA; black or white always reaches it
            }
    QCOMPARE(textOn(Qt::white), QColor(Qt::black));
    QCOMPARE(textOn(Qt::black), QColor(Qt::white));
}

void GeometryTest::framesHaveContrast() {
    for (const auto appearance : {Appearance::Light, Appearance::Dark}) {
        const auto& frame = frameOf(appearance);
        QVERIFY(contrast(frame.text, frame.panel) >= 12);
        QVERIFY(contrast(frame.caption, frame.panel) >= 4.5);
        QVERIFY(contrast(frame.caption, frame.ground) >= 4.5);
        QVERIFY(contrast(frame.selection, frame.panel) >= 3);
        QVERIFY(contrast(frame.accentText, frame.accent) >= 4.5);
        QVERIFY(contrast(frame.paleLine, frame.panel) >= 2);
    }
}

QTEST_GUILESS_MAIN(GeometryTest)
#include "tst_geometry.moc"
