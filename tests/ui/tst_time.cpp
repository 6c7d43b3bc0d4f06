// SPDX-License-Identifier: GPL-3.0-or-later
// Time in the window: pausing, stepping, scrubbing, breakpoints and matches, on real runs and recorded ones.
#include <QComboBox>
#include <QLineEdit>
#include <QSlider>
#include <QTableWidget>
#include <QTest>
#include <QToolButton>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/main_window.hpp"
#include "views/time/conditions_editor.hpp"
#include "views/time/play_bar.hpp"

using namespace mor::ui;

namespace {

constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

struct Opened {
    Opened() {
        Settings settings;
        settings.run.maxTokens = 24;
        settings.run.sampling.temperature = 0;
        window = std::make_unique<MainWindow>(settings, MainWindow::Save{}, std::filesystem::path{});
        window->resize(1280, 800);
        window->show();
        window->openModel(QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3"));
        ready = waitFor(EngineState::Ready);
        window->promptBox()->setText(QStringLiteral("The king said to his servant"));
    }
    bool waitFor(EngineState state) {
        return QTest::qWaitFor([&] { return window->feed().state() == state; }, kPatience);
    }
    bool run() {
        window->actions().generate->trigger();
        return QTest::qWaitFor([&] { return window->player().end() > 0 && window->feed().state() == EngineState::Ready; },
                               kPatience);
    }
    const Actions& actions() const { return window->actions(); }
    TracePlayer& player() const { return window->player(); }

    std::unique_ptr<MainWindow> window;
    bool ready = false;
};

}  // namespace

class TimeTest : public QObject {
    Q_OBJECT

private slots:
    void aFinishedRunIsScrubbed();
    void recordedStepsNeedNoEngine();
    void aStepAtTheEndComputes();
    void aBreakpointPausesTheEngine();
    void matchesArePinned();
    void aSlowRunIsShownLater();
    void aReplayIsPlayedAndPaused();
    void allKeysAreListed();
    void oneScreenshot();
};

void TimeTest::aFinishedRunIsScrubbed() {
    Opened w;
    QVERIFY(w.ready && w.run());
    auto* slider = w.window->playBar()->slider();
    const int tokens = w.window->trace().tokenCount();
    QCOMPARE(slider->maximum(), w.player().end());
    QCOMPARE(slider->value(), slider->maximum());
    slider->setValue(slider->maximum() / 2);
    QCOMPARE(w.player().moment(), slider->maximum() / 2);
    QVERIFY(w.window->trace().tokenCount() < tokens);
    QVERIFY(w.window->playBar()->positionText().startsWith(
        QStringLiteral("token %1 of %2").arg(w.window->trace().tokenCount()).arg(tokens)));
    w.actions().toBegin->trigger();
    QCOMPARE(w.window->trace().tokenCount(), 0);
    QVERIFY(!w.actions().previousToken->isEnabled());
    w.actions().toEnd->trigger();
    QCOMPARE(w.window->trace().tokenCount(), tokens);
    QVERIFY(!w.actions().toEnd->isEnabled());
}

void TimeTest::recordedStepsNeedNoEngine() {
    Opened w;
    QVERIFY(w.ready && w.run());
    const int end = w.player().end(), tokens = w.window->trace().tokenCount();
    w.actions().previousToken->trigger();
    QCOMPARE(w.window->trace().tokenCount(), tokens - 1);
    w.actions().nextRecursion->trigger();
    QVERIFY(w.window->trace().extent() == tokens && w.window->trace().tokenCount() == tokens - 1);
    w.actions().nextToken->trigger();
    QCOMPARE(w.window->trace().tokenCount(), tokens);
    QCOMPARE(w.player().end(), end);
    QCOMPARE(w.window->feed().state(), EngineState::Ready);
}

void TimeTest::aStepAtTheEndComputes() {
    Opened w;
    QVERIFY(w.ready && w.run());
    const int tokens = w.window->trace().tokenCount();
    w.actions().nextToken->trigger();
    QVERIFY(QTest::qWaitFor([&] { return w.window->trace().tokenCount() == tokens + 1; }, kPatience));
    QVERIFY(w.player().isAtEnd());
}

void TimeTest::aBreakpointPausesTheEngine() {
    Opened w;
    QVERIFY(w.ready);
    w.window->controls();
    w.window->playBar()->conditions()->setConditions({.depthAtLeast = 3, .marginBelow = {}, .text = {}});
    w.actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return !w.player().isPlaying() && w.player().moment() > 0; }, kPatience));
    const int stoppedAt = w.window->trace().tokenCount() - 1;
    QCOMPARE(w.window->trace().token(stoppedAt).depth, 3);
    for (int t = w.window->trace().header().prompt_tokens; t < stoppedAt; ++t)
        QVERIFY(w.window->trace().token(t).depth < 3);
    QVERIFY(w.window->statusLine()->text().startsWith(QStringLiteral("Stopped at token %1: depth 3").arg(stoppedAt)));
    QTRY_VERIFY(w.window->feed().state() != EngineState::Running);
    w.window->playBar()->conditions()->setConditions({});
    w.actions().pause->trigger();
    QVERIFY(
        QTest::qWaitFor([&] { return w.window->feed().state() == EngineState::Ready && w.player().isAtEnd(); }, kPatience));
    QVERIFY(w.window->trace().token(w.window->trace().tokenCount() - 1).finish != mor::Finish::None);
}

void TimeTest::matchesArePinned() {
    Opened w;
    QVERIFY(w.ready && w.run());
    w.actions().nextMatch->trigger();
    QVERIFY(w.window->statusLine()->text().contains(QStringLiteral("Stop when")));
    auto* text = w.window->playBar()->findChild<QLineEdit*>(QStringLiteral("matchText"));
    auto* conditions = w.window->playBar()->conditions();
    conditions->setConditions({.depthAtLeast = {}, .marginBelow = {}, .text = QStringLiteral("king")});
    QVERIFY(!text || text->text() == QStringLiteral("king"));
    w.player().seek(0);
    w.actions().nextMatch->trigger();
    const int found = w.window->selection().pinned();
    QVERIFY(found >= 0);
    QVERIFY(w.window->trace().tokenCount() > found);  // time went there
    w.actions().previousMatch->trigger();
    QCOMPARE(w.window->selection().pinned(), found);
}

void TimeTest::aSlowRunIsShownLater() {
    Opened w;
    QVERIFY(w.ready);
    w.window->playBar()->setSpeed(20);
    w.actions().generate->trigger();
    QVERIFY(
        QTest::qWaitFor([&] { return w.player().end() > 0 && w.window->feed().state() == EngineState::Ready; }, kPatience));
    QVERIFY(!w.player().isAtEnd());  // computed, not shown yet
    QVERIFY(w.player().isPlaying());
    w.window->playBar()->setSpeed(0);
    QVERIFY(w.player().isAtEnd());
}

void TimeTest::aReplayIsPlayedAndPaused() {
    Opened w;
    QVERIFY(w.ready && w.run());
    w.window->playBar()->setSpeed(5);
    QCOMPARE(w.actions().pause->text(), QStringLiteral("Replay"));
    w.actions().pause->trigger();
    QVERIFY(w.player().isPlaying());
    QVERIFY(!w.player().isAtEnd());
    QCOMPARE(w.actions().pause->text(), QStringLiteral("Pause"));
    w.window->playBar()->playButton()->click();
    QVERIFY(!w.player().isPlaying());
}

void TimeTest::allKeysAreListed() {
    Opened w;
    w.actions().shortcuts->trigger();
    auto* table = w.window->findChild<QTableWidget*>(QStringLiteral("shortcuts"));
    QVERIFY(table);
    for (const auto* action : static_cast<QMainWindow*>(w.window.get())->actions()) {
        if (action->shortcut().isEmpty()) continue;
        const auto keys = action->shortcut().toString(QKeySequence::NativeText);
        QCOMPARE(table->findItems(keys, Qt::MatchExactly).size(), 1);  // listed, and no key twice
    }
    QVERIFY(table->rowCount() > 30);
}

/// Writes the window in the middle of a run to $MOR_SCREENSHOT_DIR, for people to look at.
void TimeTest::oneScreenshot() {
    const auto folder = qEnvironmentVariable("MOR_SCREENSHOT_DIR");
    if (folder.isEmpty()) QSKIP("MOR_SCREENSHOT_DIR is not set");
    Opened w;
    QVERIFY(w.ready && w.run());
    w.window->playBar()->conditions()->setConditions(
        {.depthAtLeast = 3, .marginBelow = {}, .text = QStringLiteral("king")});
    w.player().seek(w.player().momentOf(18) + 3);
    w.window->page()->finishDrawing();
    QTest::qWait(50);
    QVERIFY(w.window->grab().save(folder + QStringLiteral("/time.png")));
}

QTEST_MAIN(TimeTest)
#include "tst_time.moc"
