// SPDX-License-Identifier: GPL-3.0-or-later
#include <QSignalSpy>
#include <QTest>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "models/trace_player.hpp"
#include "ui/synthetic_trace.hpp"

using namespace mor::ui;
using namespace mor::test;

namespace {

/// A run with passes as the engine makes them: the prompt in one chunk, then token by token; one pass for the first layer,
/// one for each recursion, one for the last layer.
mor::Trace runWithPasses(int tokens, int prompt) {
    auto trace = syntheticTrace({.tokens = tokens, .prompt = prompt});
    trace.tokens.back().finish = mor::Finish::MaxTokens;
    for (int from = 0; from < tokens;) {
        const int to = from < prompt ? prompt : from + 1;
        for (int segment = -1; segment <= 3; ++segment) {
            mor::PassRecord pass;
            pass.segment = segment + 1;
            for (int t = from; t < to; ++t) {
                mor::PassRow row;
                row.position = t;
                row.recursion = segment == 3 ? -1 : segment;
                if (row.recursion >= 0)
                    row.decision = trace.tokens[static_cast<std::size_t>(t)].recursions[static_cast<std::size_t>(segment)];
                pass.rows.push_back(row);
            }
            trace.passes.push_back(pass);
        }
        from = to;
    }
    return trace;
}

constexpr int kTokens = 20, kPrompt = 8, kPassesPerToken = 5;

struct Played {
    TraceModel model;
    Selection selection{&model};
    TracePlayer player{&model};
};

/// What the model shows is what a model shows that only ever saw this much.
void compareWithFresh(const TraceModel& shown, const mor::Trace& whole, int tokens, int passes) {
    TraceModel fresh;
    fresh.begin(whole.header);
    fresh.append({whole.tokens.begin(), whole.tokens.begin() + tokens},
                 {whole.passes.begin(), whole.passes.begin() + passes});
    QCOMPARE(shown.tokenCount(), tokens);
    QCOMPARE(shown.extent(), fresh.extent());
    QCOMPARE(shown.depthCounts(), fresh.depthCounts());
    QCOMPARE(shown.flops(), fresh.flops());
    for (int r = 0; r < 3; ++r) {
        const auto index = static_cast<std::size_t>(r);
        QCOMPARE(shown.tallies()[index].taken, fresh.tallies()[index].taken);
        QCOMPARE(shown.tallies()[index].histogram, fresh.tallies()[index].histogram);
        for (int t = 0; t < shown.extent(); ++t)
            QCOMPARE(shown.decision(t, r).has_value(), fresh.decision(t, r).has_value());
    }
    QCOMPARE(figuresOf(shown.trace()).kvUsed, figuresOf(fresh.trace()).kvUsed);
}

}  // namespace

class TracePlayerTest : public QObject {
    Q_OBJECT

private slots:
    void aMomentIsAPass();
    void everyMomentShowsItsShareOfTheRun();
    void stepsGoByTokensAndPasses();
    void whatComesInIsShownAtTheEndOnly();
    void tracesWithoutPassesHaveAMomentPerToken();
    void speedRevealsPassByPass();
    void breakpointsStopTime_data();
    void breakpointsStopTime();
    void playingStartsOverAtTheEnd();
    void pinsBeyondTheMomentAreDropped();
    void matchesAreFound_data();
    void matchesAreFound();
};

void TracePlayerTest::aMomentIsAPass() {
    Played p;
    p.player.load(runWithPasses(kTokens, kPrompt));
    QCOMPARE(p.player.end(), (1 + kTokens - kPrompt) * kPassesPerToken);
    QVERIFY(p.player.isAtEnd());
    QCOMPARE(p.player.tokensAt(0), 0);
    QCOMPARE(p.player.tokensAt(kPassesPerToken - 1), 0);
    QCOMPARE(p.player.tokensAt(kPassesPerToken), kPrompt);
    QCOMPARE(p.player.momentOf(0), kPassesPerToken);
    QCOMPARE(p.player.momentOf(kPrompt), 2 * kPassesPerToken);
}

void TracePlayerTest::everyMomentShowsItsShareOfTheRun() {
    Played p;
    const auto trace = runWithPasses(kTokens, kPrompt);
    p.player.load(trace);
    // Forwards, backwards and in leaps.
    std::vector<int> way;
    for (int m = 0; m <= p.player.end(); ++m) way.push_back(m);
    for (int m = p.player.end(); m >= 0; m -= 3) way.push_back(m);
    for (const int m : {50, 3, 47, 5, 6, 65, 0, 64}) way.push_back(m);
    for (const int moment : way) {
        p.player.seek(moment);
        QCOMPARE(p.player.moment(), moment);
        compareWithFresh(p.model, trace, p.player.tokensAt(moment), moment);
    }
}

void TracePlayerTest::stepsGoByTokensAndPasses() {
    Played p;
    p.player.load(runWithPasses(kTokens, kPrompt));
    p.player.seek(0);
    p.player.stepTokens(1);
    QCOMPARE(p.model.tokenCount(), kPrompt);  // the prompt is one chunk
    p.player.stepTokens(1);
    QCOMPARE(p.model.tokenCount(), kPrompt + 1);
    p.player.stepPasses(2);
    QCOMPARE(p.model.tokenCount(), kPrompt + 1);
    QVERIFY(p.model.decision(kPrompt + 1, 0).has_value());  // recursion 1 of the token under way
    QVERIFY(!p.model.decision(kPrompt + 1, 1).has_value());
    p.player.stepTokens(-1);  // to the beginning of the token under way
    QCOMPARE(p.player.moment(), p.player.momentOf(kPrompt));
    p.player.stepTokens(-1);
    QCOMPARE(p.model.tokenCount(), kPrompt);
    p.player.stepPasses(-1);
    QCOMPARE(p.model.tokenCount(), 0);
    p.player.stepPasses(-100);
    QCOMPARE(p.player.moment(), 0);
    p.player.stepTokens(100);
    QVERIFY(p.player.isAtEnd());
}

void TracePlayerTest::whatComesInIsShownAtTheEndOnly() {
    Played p;
    const auto trace = runWithPasses(kTokens, kPrompt);
    p.player.begin(trace.header);
    const auto give = [&](int fromToken, int toToken, int fromPass, int toPass) {
        p.player.append({trace.tokens.begin() + fromToken, trace.tokens.begin() + toToken},
                        {trace.passes.begin() + fromPass, trace.passes.begin() + toPass});
    };
    give(0, 0, 0, 3);
    QCOMPARE(p.player.moment(), 3);
    give(0, kPrompt, 3, 5);
    QCOMPARE(p.model.tokenCount(), kPrompt);
    p.player.seek(2);
    give(kPrompt, kPrompt + 1, 5, 10);
    QCOMPARE(p.player.moment(), 2);  // the reader looks back
    QCOMPARE(p.player.end(), 10);
    p.player.follow();
    QCOMPARE(p.player.moment(), 10);
    give(kPrompt + 1, kTokens, 10, static_cast<int>(trace.passes.size()));
    QVERIFY(p.player.isAtEnd());
    QVERIFY(!p.player.isPlaying());  // the run has ended
    compareWithFresh(p.model, trace, kTokens, static_cast<int>(trace.passes.size()));
}

void TracePlayerTest::tracesWithoutPassesHaveAMomentPerToken() {
    Played p;
    p.player.load(syntheticTrace({.tokens = 12}));
    QCOMPARE(p.player.end(), 12);
    p.player.stepTokens(-1);
    QCOMPARE(p.model.tokenCount(), 11);
    p.player.load({});
    QCOMPARE(p.player.end(), 0);
    p.player.stepTokens(1);
    p.player.play();
    QCOMPARE(p.player.moment(), 0);
}

void TracePlayerTest::speedRevealsPassByPass() {
    Played p;
    p.player.load(runWithPasses(kTokens, kPrompt));
    p.player.seek(p.player.momentOf(kPrompt));
    p.player.setSpeed(5);  // a token in 200 ms, a pass in 40
    std::vector<int> moments;
    connect(&p.player, &TracePlayer::moved, this, [&] { moments.push_back(p.player.moment()); });
    p.player.play();
    const int begin = p.player.moment();
    QVERIFY(QTest::qWaitFor([&] { return p.player.moment() >= begin + 4; }, 5000));
    p.player.pause();
    for (std::size_t i = 1; i < moments.size(); ++i) QVERIFY(moments[i] - moments[i - 1] <= 1);
    const int rested = p.player.moment();
    QTest::qWait(150);
    QCOMPARE(p.player.moment(), rested);
    p.player.setSpeed(0);
    p.player.play();
    QVERIFY(p.player.isAtEnd());  // recorded ones at once
}

void TracePlayerTest::breakpointsStopTime_data() {
    QTest::addColumn<bool>("live");
    QTest::addColumn<double>("speed");
    QTest::newRow("live") << true << 0.0;
    QTest::newRow("replay") << false << 0.0;
    QTest::newRow("replay, slowly") << false << 1000.0;
}

void TracePlayerTest::breakpointsStopTime() {
    QFETCH(bool, live);
    QFETCH(double, speed);
    Played p;
    auto trace = runWithPasses(kTokens, kPrompt);
    for (auto& token : trace.tokens) token.depth = 1;
    trace.tokens[2].depth = trace.tokens[14].depth = 3;  // one in the prompt: nobody waits there
    p.player.setBreakpoints({.depthAtLeast = 3, .marginBelow = {}, .text = {}});
    QSignalSpy stops(&p.player, &TracePlayer::stopped);
    if (live) {
        p.player.begin(trace.header);
        p.player.append(trace.tokens, trace.passes);
    } else {
        p.player.load(trace);
        p.player.seek(0);
        p.player.setSpeed(speed);
        p.player.play();
    }
    QVERIFY(QTest::qWaitFor([&] { return stops.count() == 1; }, 5000));
    QCOMPARE(stops.front()[0].toInt(), 14);
    QCOMPARE(stops.front()[1].toString(), QStringLiteral("depth 3"));
    QCOMPARE(p.model.tokenCount(), 15);
    QVERIFY(!p.player.isPlaying());
    p.player.setSpeed(0);
    p.player.follow();  // goes on behind it
    QVERIFY(p.player.isAtEnd());
    QCOMPARE(stops.count(), 1);
}

void TracePlayerTest::playingStartsOverAtTheEnd() {
    Played p;
    p.player.load(runWithPasses(kTokens, kPrompt));
    p.player.setSpeed(1);
    p.player.play();
    QVERIFY(p.player.moment() < p.player.end());
    QVERIFY(p.player.isPlaying());
}

void TracePlayerTest::pinsBeyondTheMomentAreDropped() {
    Played p;
    p.player.load(runWithPasses(kTokens, kPrompt));
    p.selection.togglePin(15);
    p.selection.togglePin(3);
    p.player.seek(p.player.momentOf(10));
    QCOMPARE(p.selection.pinned(), 3);
    QCOMPARE(p.selection.secondPinned(), -1);
    p.player.seek(0);
    QCOMPARE(p.selection.pinned(), -1);
    QCOMPARE(p.selection.current(), -1);
}

void TracePlayerTest::matchesAreFound_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("from");
    QTest::addColumn<int>("step");
    QTest::addColumn<int>("found");
    QTest::newRow("a word") << "king" << -1 << 1 << 1;
    QTest::newRow("upper case alike") << "KING" << -1 << 1 << 1;
    QTest::newRow("over two tokens") << "said to" << -1 << 1 << 3;
    QTest::newRow("next") << "the" << 11 << 1 << 17;
    QTest::newRow("before") << "the" << 17 << -1 << 11;
    QTest::newRow("none") << "zebra" << -1 << 1 << -1;
}

void TracePlayerTest::matchesAreFound() {
    QFETCH(QString, text);
    QFETCH(int, from);
    QFETCH(int, step);
    QFETCH(int, found);
    const auto trace = syntheticTrace({.tokens = 20});
    QCOMPARE(findMatch({.depthAtLeast = {}, .marginBelow = {}, .text = text}, trace, from, step, 20), found);
}

QTEST_GUILESS_MAIN(TracePlayerTest)
#include "tst_trace_player.moc"
