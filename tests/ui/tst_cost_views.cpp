// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QGraphicsTextItem>
#include <QLocale>
#include <QPainter>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
#include <QtCharts/QAbstractSeries>
#include <QtCharts/QChart>
#include <algorithm>
#include <cmath>
#include <memory>

#include "models/figures.hpp"
#include "ui/stage.hpp"
#include "views/heatmap/heatmap_painter.hpp"
#include "views/kit/panel.hpp"
#include "views/kit/score_histogram.hpp"

using namespace mor::ui;
using namespace mor::test;

class CostViewsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void kvPointsEqualTheTrace();
    void kvIsDecimated();
    void kvBandsOfNothingAreNotDrawn();
    void kvHoversAndPins();
    void kvMarksLeaveTheLegendAlone();
    void kvPicturesHaveTheAxesOfTheScreen();
    void kvWordsAreNeverCut_data();
    void kvWordsAreNeverCut();
    void computeShowsTheFigures();
    void kvReservedIsStackedToo();
    void slotMapEqualsTheBytes_data();
    void slotMapEqualsTheBytes();
    void slotMapShowsWhatATokenSaw();
    void slotMapHoversAndPins();
    void timesAreDividedAmongRows();
    void costBarsLinkToTheSelection();
    void costOfManyTokens();
};

/// What a curve drawn through these points shows at x.
double heightAt(const QList<QPointF>& points, double x) {
    const auto right =
        std::lower_bound(points.begin(), points.end(), x, [](QPointF p, double value) { return p.x() < value; });
    if (right == points.begin()) return right->y();
    const auto left = right - 1;
    return left->y() + (right->y() - left->y()) * (x - left->x()) / (right->x() - left->x());
}

void CostViewsTest::kvPointsEqualTheTrace() {
    Stage stage;
    QCOMPARE(stage.kv.curves().bands(), 4);
    QCOMPARE(stage.kv.curves().unit(), QStringLiteral("KiB"));
    const auto reference = stage.kv.curves().vanillaLine();
    const double pixel = std::abs(stage.kv.chart()->mapToValue({0, 0}).y() - stage.kv.chart()->mapToValue({0, 1}).y());
    for (int token = 0; token < 47; ++token) {
        const auto& kv = stage.model.token(token).kv;
        double sum = 0;
        for (int layer = 0; layer < 4; ++layer) {
            sum += static_cast<double>(kv.used[static_cast<std::size_t>(layer)]);
            QVERIFY(std::abs(heightAt(stage.kv.curves().upperEdge(layer), token + 1) - sum / 1024) <= 0.51 * pixel);
        }
        QVERIFY(std::abs(heightAt(reference, token + 1) - static_cast<double>(kv.vanilla) / 1024) <= 0.51 * pixel);
    }
    QCOMPARE(stage.kv.savedText(), percentText(*figuresOf(stage.model.trace()).kvSaved) + QStringLiteral(" saved"));
}

void CostViewsTest::kvIsDecimated() {
    Stage stage({.tokens = 4096});
    QVERIFY(stage.kv.curves().vanillaLine().size() <= KvCurves::kMostPoints);
    QVERIFY(stage.kv.curves().upperEdge(3).size() <= KvCurves::kMostPoints);
    QCOMPARE(stage.kv.curves().vanillaLine().size(), 2);  // a straight line
    QCOMPARE(stage.kv.curves().vanillaLine().last().x(), 4096.0);
    QCOMPARE(stage.kv.curves().unit(), QStringLiteral("MiB"));
    QCOMPARE(stage.kv.curves().upperEdge(3).last().y(),
             static_cast<double>(kvUsed(stage.model.token(4095).kv)) / (1 << 20));
}

void CostViewsTest::kvBandsOfNothingAreNotDrawn() {
    Stage stage({.kvPolicy = mor::KvPolicy::RecursiveSharing});
    QStringList shown;
    const auto series = stage.kv.chart()->series();
    for (int layer = 0; layer < stage.kv.curves().bands(); ++layer) shown += QString::number(series.at(layer)->isVisible());
    const auto& last = stage.model.token(stage.model.tokenCount() - 1).kv.used;
    QStringList expected;
    for (const auto bytes : last) expected += QString::number(bytes > 0);
    QCOMPARE(shown, expected);
    QVERIFY(expected.contains(QStringLiteral("0")));
}

void CostViewsTest::kvHoversAndPins() {
    Stage stage;
    for (const int token : {3, 20, 46}) {
        const auto at = stage.kv.pointFor(token) + QPointF(0, 4);
        moveMouse(stage.kv, at);
        QCOMPARE(stage.selection.hovered(), token);
    }
    click(stage.kv, stage.kv.pointFor(20) + QPointF(0, 4));
    QCOMPARE(stage.selection.pinned(), 20);
    QTest::keyClick(&stage.kv, Qt::Key_Right);
    QCOMPARE(stage.selection.pinned(), 21);
    QCOMPARE(stage.kv.tokenAt({1, 1}), -1);
}

/// No line of the selection crosses the words of the legend, wherever a token is and however large the type.
void CostViewsTest::kvMarksLeaveTheLegendAlone() {
    Stage stage({.tokens = 93});
    for (const double scale : {1.0, 1.6}) {
        stage.kvView.setTheme({.scale = scale});
        stage.kvView.resize(qRound(480 * scale), qRound(200 * scale));
        for (int token = 0; token < 93; token += 4) {
            stage.selection.clear();
            stage.selection.togglePin(token);
            stage.kv.flush();
            const auto plot = stage.kv.chart()->plotArea();
            const QColor orange = Theme().frame().selection;
            const auto picture = grabbed(stage.kv);
            // Two lines of words, the third is about the token and orange itself.
            int crossed = 0;
            for (int y = qRound(plot.top() + 3 * scale); y < qRound(plot.top() + 36 * scale); ++y)
                for (int x = qRound(plot.left()); x < qRound(plot.left() + 150 * scale); ++x)
                    crossed += picture.pixelColor(x, y) == orange;
            QVERIFY2(crossed == 0, qPrintable(QStringLiteral("token %1 at %2").arg(token).arg(scale)));
            const int x = qRound(stage.kv.pointFor(token).x());
            int below = 0;  // but it is there
            for (int y = qRound(plot.center().y()); y < qRound(plot.bottom()); ++y)
                below += picture.pixelColor(x, y) == orange || picture.pixelColor(x - 1, y) == orange;
            QVERIFY(below > 0.4 * plot.height());
        }
    }
}

void CostViewsTest::kvPicturesHaveTheAxesOfTheScreen() {
    Stage stage({.tokens = 93});
    for (const QSize size : {QSize(480, 200), QSize(900, 500), QSize(300, 100)}) {
        stage.kvView.setMinimumSize(0, 0);
        stage.kvView.resize(size);
        stage.kv.flush();
        QCoreApplication::processEvents();
        QStringList shown;
        for (const auto* item : stage.kv.scene()->items())
            if (const auto* text = qgraphicsitem_cast<const QGraphicsTextItem*>(item); text && text->isVisible())
                shown += text->toPlainText();
        QVERIFY(shown.size() >= 4);
        Stage other({.tokens = 93});  // of another size on the screen
        const auto texts = writtenIn(other.kv, size);
        shown.removeAll(QString());
        for (const auto& text : shown) QVERIFY2(texts.contains(text), qPrintable(text + " is not in " + texts.join('|')));
        // And they stand where they do on the screen.
        QImage drawn(size, QImage::Format_RGB32);
        drawn.fill(Theme().frame().panel);
        QPainter painter(&drawn);
        other.kv.drawInto(painter, drawn.rect());
        painter.end();
        const auto screen = grabbed(stage.kv);
        QCOMPARE(drawn.size(), screen.size());
        int differing = 0;
        for (int y = 0; y < size.height(); ++y)
            for (int x = 0; x < size.width(); ++x) differing += drawn.pixel(x, y) != screen.pixel(x, y);
        QVERIFY2(differing < size.width() * size.height() / 100, qPrintable(QString::number(differing)));
    }
}

void CostViewsTest::kvWordsAreNeverCut_data() {
    QTest::addColumn<int>("tokens");
    QTest::addColumn<QSize>("size");
    QTest::addColumn<double>("scale");
    for (const int tokens : {5, 60, 303, 2000, 4096})
        for (const QSize size : {QSize(280, 96), QSize(300, 140), QSize(480, 200), QSize(1200, 700)})
            for (const double scale : {1.0, 1.6})
                QTest::addRow("%d tokens, %d x %d at %g", tokens, size.width(), size.height(), scale)
                    << tokens << size * scale << scale;
}

/// Neither on the axes nor in the legend: what does not fit is shorter, or not there.
void CostViewsTest::kvWordsAreNeverCut() {
    QFETCH(int, tokens);
    QFETCH(QSize, size);
    QFETCH(double, scale);
    Stage stage({.tokens = tokens, .prompt = 3, .recursions = 4});
    stage.kvView.setTheme({.scale = scale});
    stage.kvView.setMinimumSize(0, 0);
    stage.kvView.resize(size);
    QTest::qWait(1);
    stage.kv.flush();
    QCoreApplication::processEvents();
    int labels = 0;
    for (const auto* item : stage.kv.scene()->items())
        if (const auto* text = qgraphicsitem_cast<const QGraphicsTextItem*>(item); text && text->isVisible()) {
            QVERIFY2(!text->toPlainText().contains(QStringLiteral("...")), qPrintable(text->toPlainText()));
            ++labels;
        }
    QVERIFY(labels >= 4);
    const auto texts = writtenIn(stage.kv, stage.kv.size());
    for (const auto& text : texts) QVERIFY2(!text.contains(QChar(0x2026)), qPrintable(text));
    QVERIFY(tokens < 60 || size.height() < 120 * scale || texts.contains(stage.kv.savedText()));
}

void CostViewsTest::computeShowsTheFigures() {
    Stage stage({.tokens = 31, .prompt = 11});
    QStringList lines;
    for (const auto& row : stage.compute.rows())
        lines += row.name + QLatin1Char('=') + row.value + QLatin1Char('|') + row.origin;
    QVERIFY(lines.contains(QStringLiteral("tokens/s=400|measured")));
    QVERIFY(lines.contains(QStringLiteral("time to first token=18\u00a0ms|measured")));
    QVERIFY(lines.contains(QStringLiteral("vanilla reference=5.7\u00a0M|computed")));
    stage.model.clear();
    for (const auto& row : stage.compute.rows()) QCOMPARE(row.value, QStringLiteral("–"));
}

void CostViewsTest::kvReservedIsStackedToo() {
    Stage stage;
    stage.kvView.setMode(KvView::Reserved);
    const auto edge = stage.kv.curves().upperEdge(3);
    const auto& last = stage.model.token(stage.model.tokenCount() - 1).kv;
    QCOMPARE(edge.last().y() * stage.kv.curves().unitDivisor(), static_cast<double>(kvReserved(last)));
    QVERIFY(kvReserved(last) > kvUsed(last));
    stage.kvView.setMode(KvView::Used);
    QCOMPARE(stage.kv.curves().upperEdge(3).last().y() * stage.kv.curves().unitDivisor(),
             static_cast<double>(kvUsed(last)));
}

void CostViewsTest::slotMapEqualsTheBytes_data() {
    QTest::addColumn<mor::KvPolicy>("policy");
    QTest::newRow("recursion-wise") << mor::KvPolicy::RecursionWise;
    QTest::newRow("shared") << mor::KvPolicy::RecursiveSharing;
}

void CostViewsTest::slotMapEqualsTheBytes() {
    QFETCH(mor::KvPolicy, policy);
    Stage stage({.kvPolicy = policy});
    const auto held = kvHeld(stage.model, 46);
    QCOMPARE(held[0].entries, 47);
    const auto perEntry = held[1].bytes / held[1].entries;
    for (std::size_t i = 1; i < held.size(); ++i) QCOMPARE(held[i].bytes, held[i].entries * perEntry);
    const bool shared = policy == mor::KvPolicy::RecursiveSharing;
    QCOMPARE(held[3].entries > 0, !shared);
    int sharedCells = 0;
    for (int token = 0; token < 47; ++token) sharedCells += kvSlot(stage.model, token, 2) == KvSlot::Shared;
    QCOMPARE(sharedCells, shared ? stage.model.tallies()[2].taken : 0);
}

void CostViewsTest::slotMapShowsWhatATokenSaw() {
    Stage stage;
    auto& map = *stage.kvView.slotMap();
    stage.kvView.setMode(KvView::Slots);
    QVERIFY(map.isVisible());
    int deep = 46;
    while (stage.model.token(deep).depth < 3) --deep;
    int seen = 0;
    for (int token = 0; token <= deep; ++token) seen += stage.model.token(token).depth == 3;
    QCOMPARE(kvVisible(stage.model, deep, 2), seen);
    const auto before = grabbed(map);
    stage.selection.togglePin(deep);
    QCOMPARE(map.rowText(2), QStringLiteral("token %1 saw %2").arg(deep).arg(seen));
    const auto cell = map.cellRect(deep > 40 ? 3 : 45, 0).center().toPoint();
    QVERIFY(grabbed(map) != before);
    // What came later fades, what came before stays.
    const auto after = grabbed(map);
    if (deep < 45) QVERIFY(after.pixel(cell) != before.pixel(cell));
    QCOMPARE(after.pixel(map.cellRect(2, 0).center().toPoint()), before.pixel(map.cellRect(2, 0).center().toPoint()));
}

void CostViewsTest::slotMapHoversAndPins() {
    Stage stage;
    auto& map = *stage.kvView.slotMap();
    stage.kvView.setMode(KvView::Slots);
    QTest::mouseMove(&map, map.cellRect(12, 1).center().toPoint());
    QCOMPARE(stage.selection.hovered(), 12);
    QTest::mouseClick(&map, Qt::LeftButton, Qt::NoModifier, map.cellRect(13, 0).center().toPoint());
    QCOMPARE(stage.selection.pinned(), 13);
    QTest::keyClick(&map, Qt::Key_Right);
    QCOMPARE(stage.selection.pinned(), 14);
}

void CostViewsTest::timesAreDividedAmongRows() {
    PassTimes times;
    times.reset(2);
    const auto row = [](int position, int recursion, mor::Outcome outcome) {
        mor::PassRow made;
        made.position = position;
        made.recursion = recursion;
        made.decision.outcome = outcome;
        return made;
    };
    mor::PassRecord outside, first;
    outside.milliseconds = 4;
    outside.rows = {row(0, -1, mor::Outcome::NotOffered), row(1, -1, mor::Outcome::NotOffered)};
    first.milliseconds = 3;
    first.rows = {row(0, 0, mor::Outcome::Take), row(1, 0, mor::Outcome::Leave)};
    times.add(outside);
    times.add(first);
    QCOMPARE(times.tokenCount(), 2);
    QCOMPARE(times.of(0)[0], 2.0f);
    QCOMPARE(times.of(0)[1], 3.0f);  // who leaves costs nothing
    QCOMPARE(times.total(1), 2.0);
    QCOMPARE(times.medianPass(), 4.0);
    first.rows.front().position = 1 << 30;  // a damaged file asks for no memory
    first.rows.front().decision.outcome = mor::Outcome::Take;
    times.add(first);
    QCOMPARE(times.tokenCount(), 2);
}

void CostViewsTest::costBarsLinkToTheSelection() {
    Stage stage;
    stage.compute.resize(300, 260);
    const auto area = stage.compute.chartArea();
    QVERIFY(area.height() >= 44);
    QTest::mouseMove(&stage.compute,
                     QPoint(static_cast<int>(area.left() + area.width() / 2), static_cast<int>(area.center().y())));
    const int hovered = stage.selection.hovered();
    QVERIFY(hovered > 18 && hovered < 29);
    for (const auto quantity : {CostChart::Quantity::PerToken, CostChart::Quantity::Total, CostChart::Quantity::Time}) {
        stage.compute.setQuantity(quantity);
        stage.selection.setHovered(-1);
        const auto plain = grabbed(stage.compute);
        stage.selection.setHovered(hovered);
        QVERIFY(grabbed(stage.compute) != plain);
    }
    stage.compute.resize(300, 110);
    QVERIFY(stage.compute.chartArea().isEmpty());
}

void CostViewsTest::costOfManyTokens() {
    Stage stage({.tokens = 4096});
    stage.compute.resize(300, 260);
    stage.kvView.setMode(KvView::Slots);
    QElapsedTimer clock;
    clock.start();
    grabbed(stage.compute);
    const double compute = static_cast<double>(clock.nsecsElapsed()) * 1e-6;
    clock.restart();
    grabbed(*stage.kvView.slotMap());
    qInfo("4096 tokens: paint compute %.2f ms, slot map %.2f ms", compute,
          static_cast<double>(clock.nsecsElapsed()) * 1e-6);
    QCOMPARE(stage.kvView.slotMap()->tokenAt(stage.kvView.slotMap()->cellRect(4000, 0).center()), 4000);
}

QTEST_MAIN(CostViewsTest)
#include "tst_cost_views.moc"
