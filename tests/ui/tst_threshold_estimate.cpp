// SPDX-License-Identifier: GPL-3.0-or-later
#include <QSignalSpy>
#include <QTest>

#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "ui/synthetic_trace.hpp"

using namespace mor::ui;
using namespace mor::test;

namespace {

/// A run of three recursions; each token is the list of scores it was given, and depths follow from 0.5.
mor::Trace runOf(const std::vector<std::vector<float>>& tokens) {
    mor::Trace trace;
    trace.header = syntheticHeader({});
    for (const auto& scores : tokens) {
        mor::TokenRecord record;
        record.position = static_cast<int>(trace.tokens.size());
        record.recursions.resize(3);
        for (std::size_t r = 0; r < scores.size(); ++r) {
            auto& decision = record.recursions[r];
            decision.score = scores[r];
            decision.outcome = scores[r] >= 0.5f ? mor::Outcome::Take : mor::Outcome::Leave;
            record.depth += scores[r] >= 0.5f;
        }
        trace.tokens.push_back(record);
    }
    return trace;
}

}  // namespace

class ThresholdEstimateTest : public QObject {
    Q_OBJECT

private slots:
    void asRecordedNothingChanges();
    void fatesFollowTheScores_data();
    void fatesFollowTheScores();
    void summaryCountsFates();
    void forcedDepthsStay();
    void aNewRunStartsAsRecorded();
    void staysWithinWhatTheEngineTakes();
};

void ThresholdEstimateTest::asRecordedNothingChanges() {
    TraceModel model;
    ThresholdEstimate estimate(&model);
    model.load(syntheticTrace({.tokens = 200}));
    estimate.setThreshold(0.5);
    for (int token = 0; token < model.tokenCount(); ++token) QCOMPARE(estimate.fate(token).depth, model.token(token).depth);
    QCOMPARE(estimate.summary().shallower, 0);
    QCOMPARE(estimate.summary().deeper, 0);
    for (int r = 0; r < 3; ++r)
        QCOMPARE(estimate.summary().lanes[static_cast<std::size_t>(r)].taken,
                 model.tallies()[static_cast<std::size_t>(r)].taken);
}

void ThresholdEstimateTest::fatesFollowTheScores_data() {
    QTest::addColumn<std::vector<float>>("scores");
    QTest::addColumn<double>("threshold");
    QTest::addColumn<int>("depth");
    QTest::addColumn<bool>("unknown");
    QTest::newRow("leaves earlier") << std::vector<float>{0.9f, 0.6f, 0.8f} << 0.7 << 1 << false;
    QTest::newRow("stays") << std::vector<float>{0.9f, 0.9f, 0.8f} << 0.7 << 3 << false;
    QTest::newRow("leaves at once") << std::vector<float>{0.6f, 0.9f, 0.9f} << 0.7 << 0 << false;
    QTest::newRow("goes on into the unknown") << std::vector<float>{0.9f, 0.4f} << 0.3 << 2 << true;
    QTest::newRow("goes on to the end") << std::vector<float>{0.9f, 0.8f, 0.4f} << 0.3 << 3 << false;
    QTest::newRow("still leaves") << std::vector<float>{0.9f, 0.2f} << 0.3 << 1 << false;
    QTest::newRow("first score decides") << std::vector<float>{0.4f} << 0.3 << 1 << true;
}

void ThresholdEstimateTest::fatesFollowTheScores() {
    QFETCH(std::vector<float>, scores);
    QFETCH(double, threshold);
    QFETCH(int, depth);
    QFETCH(bool, unknown);
    TraceModel model;
    ThresholdEstimate estimate(&model);
    model.load(runOf({scores}));
    estimate.setThreshold(threshold);
    QCOMPARE(estimate.fate(0), (ThresholdEstimate::Fate{depth, unknown}));
}

void ThresholdEstimateTest::summaryCountsFates() {
    TraceModel model;
    ThresholdEstimate estimate(&model);
    model.load(runOf({{0.9f, 0.6f, 0.8f}, {0.9f, 0.4f}, {0.4f}, {0.9f, 0.8f, 0.4f}, {0.9f, 0.1f}}));
    estimate.setThreshold(0.3);
    const auto summary = estimate.summary();
    QCOMPARE(summary.shallower, 0);
    QCOMPARE(summary.deeper, 3);
    QCOMPARE(summary.unknown, 2);
    QCOMPARE(summary.lanes[0].taken, 5);
    QCOMPARE(summary.lanes[1].taken, 3);
    QCOMPARE(summary.lanes[1].unknown, 1);
    QCOMPARE(summary.lanes[2].taken, 2);
    QCOMPARE(summary.lanes[2].unknown, 2);
    estimate.setThreshold(0.7);
    QCOMPARE(estimate.summary().shallower, 1);
    QCOMPARE(estimate.summary().deeper, 0);
}

void ThresholdEstimateTest::forcedDepthsStay() {
    TraceModel model;
    ThresholdEstimate estimate(&model);
    auto trace = runOf({{0.9f, 0.9f, 0.9f}, {0.9f, 0.9f, 0.9f}});
    trace.header.routing.forced_depth[1] = 1;
    trace.tokens[1].depth = 1;
    model.load(trace);
    estimate.setThreshold(0.95);
    QCOMPARE(estimate.fate(0).depth, 0);
    QCOMPARE(estimate.fate(1).depth, 1);
    trace.header.routing.fixed_depth = 2;  // no threshold decides anything
    model.load(trace);
    QVERIFY(!estimate.isPossible());
}

void ThresholdEstimateTest::aNewRunStartsAsRecorded() {
    TraceModel model;
    ThresholdEstimate estimate(&model);
    model.load(syntheticTrace({}));
    QSignalSpy changed(&estimate, &ThresholdEstimate::changed);
    estimate.setThreshold(0.7);
    estimate.setThreshold(0.7);
    QCOMPARE(changed.count(), 1);
    model.load(syntheticTrace({}));
    QVERIFY(!estimate.isActive());
    QCOMPARE(changed.count(), 2);
    estimate.reset();
    QCOMPARE(changed.count(), 2);
}

void ThresholdEstimateTest::staysWithinWhatTheEngineTakes() {
    TraceModel model;
    ThresholdEstimate estimate(&model);
    model.load(syntheticTrace({}));
    for (const double wish : {-3.0, 0.0, 1.0, 7.0}) {
        estimate.setThreshold(wish);
        QVERIFY(estimate.threshold() > 0 && estimate.threshold() < 1);
    }
    const double before = estimate.threshold();
    estimate.setThreshold(std::nan(""));
    QCOMPARE(estimate.threshold(), before);
}

QTEST_GUILESS_MAIN(ThresholdEstimateTest)
#include "tst_threshold_estimate.moc"
