// SPDX-License-Identifier: GPL-3.0-or-later
// Live runs in the window, by keyboard and mouse, every drawn value against the trace of that run.
#include <QApplication>
#include <QDoubleSpinBox>
#include <QElapsedTimer>
#include <QImage>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QStyleFactory>
#include <cmath>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/status_line.hpp"
#include "models/figures.hpp"
#include "ui/opened_window.hpp"
#include "views/kit/token_name.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/routing_view.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/token_flow_view.hpp"

using namespace mor::test;

namespace {

/// The pixels of a cell, not what the query says about them.
void compareCellPixels(const MainWindow& window, const QImage& image, int token, int recursion) {
    const auto* heatmap = window.page()->heatmap();
    const QRectF rect = heatmap->cellRect(token, recursion);
    const QPoint corner = (rect.bottomLeft() + QPointF(rect.width() * 0.8, -2)).toPoint();
    if (!heatmap->viewport()->rect().contains(corner) || !heatmap->viewport()->rect().contains(rect.topLeft().toPoint()))
        return;
    const HeatCell cell = heatmap->cellAt(token, recursion);
    const QColor expected = cell.fill * rect.height() > 4 ? cell.colour : cell.ground;
    const QColor seen = image.pixelColor(corner);
    const int difference = std::abs(seen.red() - expected.red()) + std::abs(seen.green() - expected.green()) +
                           std::abs(seen.blue() - expected.blue());
    if (cell.fill * rect.height() > 4 || cell.fill == 0)
        QVERIFY2(difference < 12, qPrintable(QString("token %1 recursion %2: %3, expected %4")
                                                 .arg(token)
                                                 .arg(recursion)
                                                 .arg(seen.name(), expected.name())));
}

}  // namespace

class WindowTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void generatesByKeyboard();
    void everyCellIsTheTrace();
    void othersShowTheSameRun();
    void hoveringLinksTheViews();
    void generatesByMouse();
    void stepsThenGoesOn();
    void recursionsFillAColumn();
    void pausesBySpace();
    void spaceTypesInThePrompt();
    void stopsByKey();
    void escapeForgetsPinsAndRunsOn();
    void closesWhileGenerating();
    void closesWhileLoading();
};

void WindowTest::initTestCase() { QApplication::setStyle(QStyleFactory::create("Fusion")); }

void WindowTest::generatesByKeyboard() {
    Opened o(kTrained, {}, 12);
    QVERIFY(o.waitFor(EngineState::Ready));
    QPlainTextEdit* edit = o.window->promptBox()->edit();
    QTest::mouseClick(edit->viewport(), Qt::LeftButton);
    QTest::keyClicks(edit, "The king said");
    QCOMPARE(o.window->promptBox()->text(), "The king said");
    QTest::keyClick(edit, Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    QCOMPARE(o.window->trace().header().prompt, std::string("The king said"));
    const Figures figures = figuresOf(o.window->trace().trace());
    QVERIFY(figures.decodedTokens == 12 ||
            o.window->trace().token(o.window->trace().tokenCount() - 1).finish == mor::Finish::Eos);
    const QString status = o.window->statusLine()->text();
    for (const char* part : {"tokens/s", "first token", "mean depth", "KV ", "context "})
        QVERIFY2(status.contains(part), qPrintable(status));
    QVERIFY(o.window->errorBar()->isHidden());
}

void WindowTest::everyCellIsTheTrace() {
    Opened o(kTrained, "And the king of Israel went down to the river", 30);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    const TraceModel& trace = o.window->trace();
    QVERIFY(trace.tokenCount() > 10);
    for (int token = 0; token < trace.tokenCount(); ++token)
        for (int recursion = 0; recursion < 3; ++recursion) {
            compareCell(*o.window, token, recursion);
            if (QTest::currentTestFailed()) return;
        }
    const QImage image = o.window->page()->heatmap()->viewport()->grab().toImage();
    for (int token = 0; token < trace.tokenCount() - 1; ++token)  // the newest is marked by the selection
        for (int recursion = 0; recursion < 3; ++recursion) {
            compareCellPixels(*o.window, image, token, recursion);
            if (QTest::currentTestFailed()) return;
        }
}

void WindowTest::othersShowTheSameRun() {
    Opened o(kTrained, "And the king of Israel went down to the river", 20);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    const TraceModel& trace = o.window->trace();
    int depths = 0;
    std::vector<int> taken(3, 0);
    for (int token = 0; token < trace.tokenCount(); ++token) {
        const auto& record = trace.token(token);
        const auto box = o.window->page()->flow()->boxAt(token);
        QCOMPARE(box.depth, QString::number(record.depth));
        QCOMPARE(box.prompt, record.prompt);
        QCOMPARE(box.text, flowText(trace, token));
        depths += record.depth;
        for (int r = 0; r < 3; ++r) taken[static_cast<std::size_t>(r)] += r < record.depth;
    }
    const auto& lanes = o.window->page()->routing()->places().lanes;
    QTRY_COMPARE(lanes.front().taken, trace.tokenCount());
    for (std::size_t r = 0; r < 3; ++r) QCOMPARE(lanes[r + 1].taken, taken[r]);
    auto* chart = o.window->page()->kv()->chart();
    const auto& kv = trace.token(trace.tokenCount() - 1).kv;
    QTRY_COMPARE(chart->curves().vanillaLine().back().y(), static_cast<double>(kv.vanilla) / chart->curves().unitDivisor());
    double sum = 0;
    for (int layer = 0; layer < chart->curves().bands(); ++layer) {
        sum += static_cast<double>(kv.used[static_cast<std::size_t>(layer)]);
        QCOMPARE(chart->curves().upperEdge(layer).back().y(), sum / chart->curves().unitDivisor());
    }
    const auto mean = figuresOf(trace.trace()).meanDepth;
    QVERIFY(mean.has_value());
    QCOMPARE(*mean, static_cast<double>(depths) / trace.tokenCount());
}

void WindowTest::hoveringLinksTheViews() {
    Opened o(kTrained, "And the king of Israel went down to the river", 8);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    auto* heatmap = o.window->page()->heatmap();
    auto* flow = o.window->page()->flow();
    QTest::mouseMove(heatmap->viewport(), heatmap->cellRect(4, 0).center().toPoint());
    QTRY_COMPARE(o.window->selection().hovered(), 4);
    QCOMPARE(o.window->page()->detail()->shownToken(), 4);
    QTest::mouseMove(flow->viewport(), flow->viewportRect(2).center().toPoint());
    QTRY_COMPARE(o.window->selection().hovered(), 2);
    QTest::mouseClick(flow->viewport(), Qt::LeftButton, {}, flow->viewportRect(3).center().toPoint());
    QCOMPARE(o.window->selection().pinned(), 3);
    QTest::keyClick(flow, Qt::Key_Right);
    QCOMPARE(o.window->selection().pinned(), 4);
}

void WindowTest::generatesByMouse() {
    Opened o(kModel, "1, 2, 3", 6);
    QVERIFY(o.waitFor(EngineState::Ready));
    QTest::mouseClick(o.button("primary"), Qt::LeftButton);
    QVERIFY(o.waitForTokens(9));
    QVERIFY(o.waitFor(EngineState::Ready));
    QCOMPARE(o.window->trace().token(2).token, 3);
}

void WindowTest::stepsThenGoesOn() {
    Opened o(kModel, "1 2 3", 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->controls()->temperature()->setValue(0);
    QTest::mouseClick(o.button("nextToken"), Qt::LeftButton);  // the prompt
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->trace().tokenCount(), 3);
    QTest::mouseClick(o.button("nextToken"), Qt::LeftButton);
    QVERIFY(o.waitForTokens(4));
    QTest::keyClick(o.window.get(), Qt::Key_Right, Qt::AltModifier);
    QVERIFY(o.waitForTokens(5));
    QVERIFY(o.waitFor(EngineState::Ready));  // the limit
    QTest::keyClick(o.window.get(), Qt::Key_Right, Qt::AltModifier);
    QVERIFY(o.waitForTokens(6));  // and one more
    QCOMPARE(o.window->trace().header().prompt_tokens, 3);
}

void WindowTest::recursionsFillAColumn() {
    Opened o(kModel, "5", 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    QTest::mouseClick(o.button("nextRecursion"), Qt::LeftButton);
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->trace().tokenCount(), 0);
    QCOMPARE(o.window->trace().extent(), 1);  // a column that is not finished
    QCOMPARE(o.window->trace().trace().passes.size(), std::size_t{1});
}

void WindowTest::pausesBySpace() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(8));
    QTest::keyClick(o.window->page()->flow(), Qt::Key_Space);
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->actions().pause->text(), "Resume");
    const int tokens = o.window->trace().tokenCount();
    QTest::keyClick(o.window->page()->flow(), Qt::Key_Space);
    QVERIFY(o.waitForTokens(tokens + 2));
}

void WindowTest::spaceTypesInThePrompt() {
    Opened o(kTrained, "And", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(4));
    QPlainTextEdit* edit = o.window->promptBox()->edit();
    edit->setFocus();
    edit->moveCursor(QTextCursor::End);
    QTest::keyClick(edit, Qt::Key_Space);
    QCOMPARE(o.window->promptBox()->text(), "And ");
    QCOMPARE(o.window->feed().state(), EngineState::Running);
}

void WindowTest::stopsByKey() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(8));
    QElapsedTimer clock;
    clock.start();
    QTest::keyClick(o.window.get(), Qt::Key_Period, Qt::ControlModifier);
    QVERIFY(o.waitFor(EngineState::Ready));
    qInfo() << "Stop answered after" << clock.elapsed() << "ms";
    QVERIFY(clock.elapsed() < 2000);
    QVERIFY(o.window->trace().tokenCount() < 400);
    QVERIFY(o.window->statusLine()->text().startsWith("Stopped"));
    QVERIFY(!o.window->actions().stop->isEnabled());
    QVERIFY(o.window->actions().generate->isEnabled());
}

/// Esc belongs to what is chosen; a run is too dear to be lost by it.
void WindowTest::escapeForgetsPinsAndRunsOn() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(8));
    o.window->selection().togglePin(2);
    o.window->selection().togglePin(5);
    QTest::keyClick(o.window->page()->flow(), Qt::Key_Escape);
    QCOMPARE(o.window->selection().pinned(), -1);
    QCOMPARE(o.window->selection().secondPinned(), -1);
    QCOMPARE(o.window->feed().state(), EngineState::Running);
    o.window->feed().stop();
}

void WindowTest::closesWhileGenerating() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(4));
    QElapsedTimer clock;
    clock.start();
    QVERIFY(o.window->close());
    o.window.reset();
    QVERIFY(clock.elapsed() < 2000);
}

void WindowTest::closesWhileLoading() {
    Opened o(kTrained, "And", 10);
    QVERIFY(o.window->close());
    o.window.reset();
    QCoreApplication::processEvents();
    QVERIFY(QApplication::topLevelWidgets().isEmpty() || !QApplication::activeModalWidget());
}

QTEST_MAIN(WindowTest)
#include "tst_window.moc"
