// SPDX-License-Identifier: GPL-3.0-or-later
// Departures from what a model was trained for, made in the window and followed by the run; and the exits of a token.
#include <QComboBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/what_if_controls.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/main_window.hpp"
#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "mor/analysis.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/text/token_detail_view.hpp"

using namespace mor::ui;

namespace {

constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

/// A window on one of the reference models.
struct Opened {
    explicit Opened(const QString& model) {
        Settings settings;
        settings.run.maxTokens = 6;
        window = std::make_unique<MainWindow>(settings, MainWindow::Save{}, std::filesystem::path{});
        window->resize(1280, 800);
        window->show();
        window->openModel(QStringLiteral(MOR_TEST_DATA "/reference/") + model);
        ready = QTest::qWaitFor([&] { return window->feed().state() == EngineState::Ready; }, kPatience);
        window->promptBox()->setText(QStringLiteral("5, 17, 99, 3, 42, 8, 64, 21"));
    }

    /// Generates and waits for the end or for an error.
    bool run() {
        window->actions().generate->trigger();
        return QTest::qWaitFor(
            [&] {
                const auto& trace = window->trace();
                const bool done = trace.tokenCount() > 0 && trace.token(trace.tokenCount() - 1).finish != mor::Finish::None;
                return !window->errorBar()->sentence().isEmpty() || (done && window->feed().state() == EngineState::Ready);
            },
            kPatience);
    }
    WhatIfControls* whatIf() const { return window->controls()->whatIf(); }

    std::unique_ptr<MainWindow> window;
    bool ready = false;
};

}  // namespace

class WhatIfTest : public QObject {
    Q_OBJECT

private slots:
    void forcedDepthsAreRead_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("count");  // -1: refused
        QTest::newRow("none") << "" << 0;
        QTest::newRow("one") << "3=1" << 1;
        QTest::newRow("blanks and commas") << " 3 = 1 ,7=0, " << 2;
        QTest::newRow("the last counts") << "3=1,3=2" << 1;
        QTest::newRow("too deep") << "3=4" << -1;
        QTest::newRow("negative position") << "-1=2" << -1;
        QTest::newRow("no depth") << "3=" << -1;
        QTest::newRow("no pair") << "3" << -1;
        QTest::newRow("two signs") << "3=1=2" << -1;
        QTest::newRow("words") << "three=one" << -1;
        QTest::newRow("more than an int") << "99999999999=1" << -1;
    }
    void forcedDepthsAreRead() {
        QFETCH(QString, text);
        QFETCH(int, count);
        const auto forced = parseForcedDepths(text, 0, 3);
        QCOMPARE(forced ? static_cast<int>(forced->size()) : -1, count);
    }

    void aFixedDepthIsFollowed() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready);
        w.whatIf()->depth()->setValue(2);
        QVERIFY(w.window->controls()->text().contains(QStringLiteral("depth 2")));
        QVERIFY(w.run());
        QCOMPARE(w.window->trace().tokenCount(), 14);
        for (int t = 0; t < 14; ++t) QCOMPARE(w.window->trace().token(t).depth, 2);
        QCOMPARE(w.window->trace().header().routing.fixed_depth, std::optional<int>(2));
    }

    void forcedDepthsAreFollowed() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready);
        QTest::keyClicks(w.whatIf()->forced(), QStringLiteral("2=0, 4=3"));
        QVERIFY(w.run());
        QCOMPARE(w.window->trace().token(2).depth, 0);
        QCOMPARE(w.window->trace().token(4).depth, 3);
    }

    void anEstimatedThresholdIsGenerated() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready && w.run());
        auto* estimate = w.window->page()->estimate();
        auto* rerun = w.window->findChild<QToolButton*>(QStringLiteral("rerun"));
        QVERIFY(rerun && !rerun->isVisible());
        estimate->setThreshold(0.62);
        QVERIFY(rerun->isVisible());
        QVERIFY(rerun->text().contains(QStringLiteral("0.62")));
        w.window->promptBox()->setText(QStringLiteral("1, 2"));  // the question is about the text on the page
        rerun->click();
        QVERIFY(QTest::qWaitFor([&] { return w.window->trace().header().routing.threshold == 0.62; }, kPatience));
        QVERIFY(QTest::qWaitFor([&] { return w.window->feed().state() == EngineState::Ready; }, kPatience));
        QCOMPARE(w.window->trace().token(0).token, 5);
        QVERIFY(!estimate->isActive() && !rerun->isVisible());
        QCOMPARE(w.window->controls()->settings().threshold, 0.62);
    }

    void topkIsComparedWithTheRun() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready);
        auto* action = w.window->actions().compareRules;
        QVERIFY(!action->isEnabled());
        QVERIFY(w.run());
        QVERIFY(action->isEnabled());
        action->trigger();
        auto* overlay = w.window->page()->overlay();
        QVERIFY(QTest::qWaitFor([&] { return overlay->isActive(); }, kPatience));
        QVERIFY(action->isChecked());
        // The same as the engine says of the same tokens.
        std::vector<int> tokens;
        for (const auto& record : w.window->trace().trace().tokens) tokens.push_back(record.token);
        const auto model = mor::Model::load(MOR_TEST_DATA "/reference/mor_expert_mc");
        const auto expected = mor::compare_rules(model, tokens);
        for (int t = 0; t < w.window->trace().tokenCount(); ++t)
            QCOMPARE(overlay->topkDepth(t), std::optional<int>(expected.tokens[static_cast<std::size_t>(t)].topk.depth));
        QVERIFY(w.window->page()->heatmap()->caption().contains(QStringLiteral("top-k")));
        action->trigger();
        QVERIFY(!overlay->isActive() && !action->isChecked());
    }

    void anotherModelIsNotCompared() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready && w.run());
        auto other = w.window->trace().trace();
        other.header.model_hash = "0000000000000000";
        QSignalSpy ended(&w.window->feed(), &Feed::comparisonEnded);
        w.window->feed().compareRules(other);
        QVERIFY(ended.wait(kPatience));
        QVERIFY(w.window->errorBar()->sentence().contains(QStringLiteral("another model")));
        QCOMPARE(w.window->feed().state(), EngineState::Ready);
    }

    void unreadableDepthsAreSaid() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready);
        w.whatIf()->forced()->setText(QStringLiteral("2=9"));
        QVERIFY(w.run());
        QVERIFY(w.window->errorBar()->sentence().contains(QStringLiteral("depths up to 3")));
        QCOMPARE(w.window->trace().tokenCount(), 0);
    }

    void anotherKvPolicyIsUsedAndLabelled() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready);
        w.whatIf()->kvPolicy()->setCurrentIndex(1);
        QVERIFY(w.whatIf()->kvPolicy()->currentText().contains(QStringLiteral("not what it was trained for")));
        QVERIFY(w.window->controls()->text().contains(QStringLiteral("untrained")));
        QVERIFY(w.run());
        const auto& trace = w.window->trace();
        QCOMPARE(trace.header().kv_policy, mor::KvPolicy::RecursiveSharing);
        const auto& used = trace.token(trace.tokenCount() - 1).kv.used;
        QVERIFY(used[1] > 0 && used[2] == 0 && used[3] == 0);
    }

    void anotherModelStartsWithItsOwnWays() {
        Opened w(QStringLiteral("mor_expert_mc"));
        w.whatIf()->depth()->setValue(1);
        w.whatIf()->forced()->setText(QStringLiteral("1=1"));
        w.window->openModel(QStringLiteral(MOR_TEST_DATA "/reference/vanilla"));
        QVERIFY(QTest::qWaitFor([&] { return !w.whatIf()->depth()->isEnabled(); }, kPatience));
        QVERIFY(w.whatIf()->summary().isEmpty());
        QVERIFY(!w.whatIf()->forced()->isEnabled() && !w.whatIf()->kvPolicy()->isEnabled());
        QVERIFY(w.whatIf()->depth()->toolTip().contains(QStringLiteral("no routers")));
        QVERIFY(QTest::qWaitFor([&] { return w.window->feed().state() == EngineState::Ready; }, kPatience));
        QVERIFY(w.run());
        QVERIFY2(w.window->errorBar()->sentence().isEmpty(), qPrintable(w.window->errorBar()->sentence()));
    }

    void theCardShowsWhatEachExitWouldSay() {
        Opened w(QStringLiteral("mor_expert_mc"));
        QVERIFY(w.ready && w.run());
        const auto& trace = w.window->trace();
        int shown = 0;
        for (int t = 0; t < trace.tokenCount(); ++t) {
            const auto& record = trace.token(t);
            const auto exits = exitsOf(trace, t);
            QCOMPARE(static_cast<int>(exits.size()), record.depth);
            for (int r = 0; r < record.depth; ++r) {
                const auto& exit = exits[static_cast<std::size_t>(r)];
                QCOMPARE(exit.recursion, r);
                QVERIFY(exit.words[0].contains(
                    QString::fromStdString(record.exits[static_cast<std::size_t>(r)].top[0].label)));
                ++shown;
            }
            // At its own depth a token says what was chosen next: its best is the best of the next token's alternatives.
            if (record.depth > 0 && t + 1 < trace.tokenCount() && !trace.token(t + 1).prompt)
                QCOMPARE(record.exits.back().top.front().token, trace.token(t + 1).top.front().token);
        }
        QVERIFY(shown > 0);
    }
};

QTEST_MAIN(WhatIfTest)
#include "tst_what_if.moc"
