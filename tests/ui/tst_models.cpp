// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>
#include <limits>
#include <numeric>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "ui/synthetic_trace.hpp"

using namespace mor::ui;
using namespace mor::test;
using Tester = QAbstractItemModelTester;

class ModelsTest : public QObject {
    Q_OBJECT

private slots:
    void survivesTheModelTester();
    void insertsABatchAtOnce();
    void cellsEqualTheRecords();
    void headersNameEveryColumn();
    void unknownNumbersAreEmptyCells();
    void countsDepthsAndOutcomes();
    void partialColumnsFillRecursionByRecursion();
    void finishedTokensReplacePartialOnes();
    void damagedRecordsDoNoHarm();
    void unroutedTokensTakeEverything();
    void selectionFollowsTheRules();
    void selectionMovesWithTheKeyboard();
    void selectionRefusesWhatIsNotThere();
    void figuresOfAKnownRun();
    void figuresOfNothing();
};

void ModelsTest::survivesTheModelTester() {
    TraceModel model;
    Tester tester(&model, Tester::FailureReportingMode::QtTest);
    model.begin(syntheticHeader());
    SyntheticRun run({});
    for (int batch = 1; batch < 6; ++batch) {
        std::vector<mor::TokenRecord> tokens;
        for (int i = 0; i < batch; ++i) tokens.push_back(run.next());
        model.append(std::move(tokens), {});
    }
    QCOMPARE(model.rowCount(), 15);
    model.load(syntheticTrace({.recursions = 5}));
    model.load(syntheticTrace({.recursions = 0}));
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void ModelsTest::insertsABatchAtOnce() {
    TraceModel model;
    model.begin(syntheticHeader());
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    QSignalSpy extended(&model, &TraceModel::extended);
    model.append(syntheticTrace().tokens, {});
    QCOMPARE(inserted.count(), 1);
    QCOMPARE(extended.count(), 1);
    QCOMPARE(inserted.first().at(2).toInt(), 46);
    model.append({}, {});
    QCOMPARE(extended.count(), 1);
}

void ModelsTest::cellsEqualTheRecords() {
    TraceModel model;
    const auto trace = syntheticTrace();
    model.load(trace);
    QCOMPARE(model.columnCount(), 3 + 3 * 3 + 3);
    for (int row = 0; row < model.rowCount(); ++row) {
        const auto& record = trace.tokens[static_cast<std::size_t>(row)];
        const auto raw = [&](int column) { return model.index(row, column).data(TraceModel::RawRole); };
        QCOMPARE(raw(TraceModel::Position).toInt(), record.position);
        QCOMPARE(raw(TraceModel::Token).toString().toStdString(), record.label);
        QCOMPARE(raw(TraceModel::Depth).toInt(), record.depth);
        for (int r = 0; r < 3; ++r) {
            const auto& decision = record.recursions[static_cast<std::size_t>(r)];
            QCOMPARE(raw(3 + 3 * r).toInt(), static_cast<int>(decision.outcome));
            if (!std::isnan(decision.score)) QCOMPARE(raw(4 + 3 * r).toFloat(), decision.score);
            if (!std::isnan(decision.gate)) QCOMPARE(raw(5 + 3 * r).toFloat(), decision.gate);
        }
        QCOMPARE(raw(12).toLongLong(), kvUsed(record.kv));
        QCOMPARE(raw(13).toLongLong(), record.flops);
        if (!record.prompt) QCOMPARE(raw(14).toFloat(), record.logprob);
    }
}

void ModelsTest::headersNameEveryColumn() {
    TraceModel model;
    model.load(syntheticTrace());
    QStringList names;
    for (int column = 0; column < model.columnCount(); ++column)
        names += model.headerData(column, Qt::Horizontal).toString();
    QCOMPARE(names.join(QLatin1Char('|')),
             QStringLiteral(
                 "Position|Token|Depth|Recursion 1|Score 1|Gate 1|Recursion 2|Score 2|Gate 2|Recursion 3|Score 3|Gate 3|"
                 "KV used (bytes)|FLOPs|Log-probability"));
    QVERIFY(!model.headerData(model.columnCount(), Qt::Horizontal).isValid());
}

void ModelsTest::unknownNumbersAreEmptyCells() {
    TraceModel model;
    model.load(syntheticTrace());
    for (int row = 0; row < model.rowCount(); ++row)
        for (int column = 0; column < model.columnCount(); ++column)
            QVERIFY(!model.index(row, column).data().toString().contains(QLatin1String("nan"), Qt::CaseInsensitive));
    QVERIFY(!model.index(0, 14).data().isValid());  // a prompt token has no log-probability
}

void ModelsTest::countsDepthsAndOutcomes() {
    TraceModel model;
    const auto trace = syntheticTrace();
    model.begin(trace.header);
    for (const auto& record : trace.tokens) model.append({record}, {});
    std::vector<int> depths(4, 0);
    std::int64_t flops = 0;
    for (const auto& record : trace.tokens) {
        ++depths[static_cast<std::size_t>(record.depth)];
        flops += record.flops;
    }
    QCOMPARE(model.depthCounts(), depths);
    QCOMPARE(model.flops(), flops);
    int offered = static_cast<int>(trace.tokens.size());
    for (int r = 0; r < 3; ++r) {
        const auto& tally = model.tallies()[static_cast<std::size_t>(r)];
        QCOMPARE(tally.offered, offered);
        QCOMPARE(tally.taken + tally.left, tally.offered);
        QCOMPARE(tally.left, depths[static_cast<std::size_t>(r)]);
        QCOMPARE(std::accumulate(tally.histogram.begin(), tally.histogram.end(), 0), tally.offered);
        offered = tally.taken;
    }
    // Loading a whole trace counts the same.
    TraceModel whole;
    whole.load(trace);
    QCOMPARE(whole.depthCounts(), model.depthCounts());
    QCOMPARE(whole.tallies()[1].histogram, model.tallies()[1].histogram);
}

void ModelsTest::partialColumnsFillRecursionByRecursion() {
    TraceModel model;
    model.begin(syntheticHeader());
    const auto record = SyntheticRun({}).next();
    QVERIFY(!model.decision(0, 0));
    for (int r = 0; r < record.depth; ++r) {
        QSignalSpy extended(&model, &TraceModel::extended);
        const auto& decision = record.recursions[static_cast<std::size_t>(r)];
        model.append({}, {syntheticPass(0, r, decision)});
        QCOMPARE(extended.count(), 1);
        QCOMPARE(model.tokenCount(), 0);
        QCOMPARE(model.extent(), 1);
        QVERIFY(model.partial(0));
        QCOMPARE(model.decision(0, r)->score, decision.score);
        if (r + 1 < 3) QVERIFY(!model.decision(0, r + 1));
    }
}

void ModelsTest::finishedTokensReplacePartialOnes() {
    TraceModel model;
    model.begin(syntheticHeader());
    SyntheticRun run({});
    const auto first = run.next(), second = run.next();
    model.append({}, {syntheticPass(0, 0, first.recursions[0]), syntheticPass(1, 0, second.recursions[0])});
    QCOMPARE(model.extent(), 2);
    model.append({first}, {});
    QVERIFY(!model.partial(0));
    QVERIFY(model.partial(1));
    QCOMPARE(model.extent(), 2);
    // A pass that comes with its finished token leaves nothing behind.
    model.append({second}, {syntheticPass(1, 1, second.recursions[1])});
    QVERIFY(!model.partial(1));
    QCOMPARE(model.extent(), 2);
    QCOMPARE(static_cast<int>(model.trace().passes.size()), 3);
    model.begin(syntheticHeader());
    QCOMPARE(model.extent(), 0);
}

void ModelsTest::damagedRecordsDoNoHarm() {
    TraceModel model;
    Tester tester(&model, Tester::FailureReportingMode::QtTest);
    auto header = syntheticHeader();
    header.config.mor.num_recursion = 2'000'000'000;
    model.begin(header);
    QVERIFY(model.recursions() <= 64);
    model.begin(syntheticHeader());
    mor::TokenRecord record;
    record.depth = 99;
    record.recursions.resize(1);
    record.recursions[0].score = 7.5f;
    record.recursions[0].outcome = mor::Outcome::Take;
    model.append({record}, {syntheticPass(2'000'000'000, 0, {}), syntheticPass(5, 40, {}), syntheticPass(-3, 0, {})});
    QCOMPARE(model.depthCounts()[3], 1);
    QCOMPARE(model.tallies()[0].histogram.back(), 1);
    QVERIFY(model.extent() < 10'000);
    QCOMPARE(model.decision(0, 2)->outcome, mor::Outcome::NotOffered);
    QVERIFY(!model.decision(0, 3));
    QVERIFY(!model.decision(-1, 0));
}

void ModelsTest::unroutedTokensTakeEverything() {
    TraceModel model;
    model.load(syntheticTrace({.tokens = 5, .routing = mor::Routing::None}));
    QVERIFY(!model.isRouted());
    QCOMPARE(model.decision(2, 2)->outcome, mor::Outcome::Take);
    QVERIFY(std::isnan(model.decision(2, 2)->score));
    QCOMPARE(model.tallies()[2].taken, 5);
    QCOMPARE(model.depthCounts()[3], 5);
}

void ModelsTest::selectionFollowsTheRules() {
    TraceModel model;
    model.load(syntheticTrace());
    Selection selection(&model);
    QCOMPARE(selection.current(), 46);  // the newest
    QSignalSpy changed(&selection, &Selection::changed);
    selection.setHovered(5);
    QCOMPARE(selection.current(), 5);
    selection.setHovered(5);
    QCOMPARE(changed.count(), 1);
    selection.togglePin(8);
    QCOMPARE(selection.pinned(), 8);
    QCOMPARE(selection.current(), 5);
    selection.setHovered(-1);
    QCOMPARE(selection.current(), 8);
    selection.togglePin(12);
    QCOMPARE(selection.secondPinned(), 12);
    QCOMPARE(selection.current(), 12);
    selection.togglePin(20);
    QCOMPARE(selection.pinned(), 8);
    QCOMPARE(selection.secondPinned(), 20);
    selection.togglePin(8);  // the second takes its place
    QCOMPARE(selection.pinned(), 20);
    QCOMPARE(selection.secondPinned(), -1);
    selection.togglePin(20);
    QCOMPARE(selection.current(), 46);
    selection.togglePin(3);
    selection.clear();
    QCOMPARE(selection.pinned(), -1);
    selection.togglePin(3);
    model.begin(syntheticHeader());
    QCOMPARE(selection.pinned(), -1);
    QCOMPARE(selection.current(), -1);
}

void ModelsTest::selectionMovesWithTheKeyboard() {
    TraceModel model;
    model.load(syntheticTrace());
    Selection selection(&model);
    selection.moveBy(-1);
    QCOMPARE(selection.pinned(), 45);
    selection.moveBy(-100);
    QCOMPARE(selection.pinned(), 0);
    selection.moveBy(std::numeric_limits<int>::max());
    QCOMPARE(selection.pinned(), 46);
    selection.togglePin(10);
    selection.moveBy(2);
    QCOMPARE(selection.pinned(), 46);
    QCOMPARE(selection.secondPinned(), 12);
}

void ModelsTest::selectionRefusesWhatIsNotThere() {
    TraceModel model;
    Selection selection(&model);
    selection.moveBy(1);
    selection.setHovered(0);
    selection.togglePin(0);
    QCOMPARE(selection.current(), -1);
    model.load(syntheticTrace());
    selection.setHovered(47);
    selection.togglePin(-1);
    QCOMPARE(selection.hovered(), -1);
    QCOMPARE(selection.pinned(), -1);
}

void ModelsTest::figuresOfAKnownRun() {
    const auto trace = syntheticTrace({.tokens = 31, .prompt = 11});
    const auto figures = figuresOf(trace);
    QCOMPARE(figures.tokens, 31);
    QCOMPARE(figures.promptTokens, 11);
    QCOMPARE(figures.decodedTokens, 20);
    QCOMPARE(*figures.firstTokenMs, 18.0);
    QCOMPARE(*figures.tokensPerSecond, 1000.0 * 19 / (2.5 * 19));
    double depth = 0;
    for (const auto& record : trace.tokens) depth += record.depth;
    QCOMPARE(*figures.meanDepth, depth / 31);
    QCOMPARE(figures.kvVanilla, 31 * 8 * 1024);
    QCOMPARE(figures.kvUsed, kvUsed(trace.tokens.back().kv));
    QVERIFY(figures.kvReserved >= figures.kvUsed);
    QCOMPARE(*figures.kvSaved, 1.0 - static_cast<double>(figures.kvUsed) / (31 * 8 * 1024));
    QCOMPARE(*figures.flopsPerTokenVanilla, 5'700'000.0);
    QCOMPARE(figures.contextSize, 512);
}

void ModelsTest::figuresOfNothing() {
    const auto figures = figuresOf({});
    QCOMPARE(figures.tokens, 0);
    QVERIFY(!figures.tokensPerSecond && !figures.firstTokenMs && !figures.meanDepth && !figures.kvSaved &&
            !figures.flopsSaved);
    const auto prompt = figuresOf(syntheticTrace({.tokens = 4, .prompt = 4}));
    QVERIFY(!prompt.tokensPerSecond && !prompt.firstTokenMs);
    QVERIFY(prompt.meanDepth.has_value());
    // One decoded token has a time to it, but no rate.
    const auto one = figuresOf(syntheticTrace({.tokens = 5, .prompt = 4}));
    QVERIFY(one.firstTokenMs && !one.tokensPerSecond);
    QVERIFY(!figuresOf(syntheticTrace({.recursions = 0})).meanDepth);
}

QTEST_GUILESS_MAIN(ModelsTest)
#include "tst_models.moc"
