// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QLocale>
#include <QPainter>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
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

class RoutingViewTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void routingCountsEqualTheTrace();
    void routingNotesEqualTheToken();
    void histogramsAppearWhereThereIsRoom_data();
    void histogramsAppearWhereThereIsRoom();
    void thresholdIsDraggedAndPutBack();
    void estimateIsSaid();
    void thresholdFollowsTheKeys();
    void runsWithoutThresholdCannotBeAsked_data();
    void runsWithoutThresholdCannotBeAsked();
    void twoRoutersDisagree();
};

void RoutingViewTest::routingCountsEqualTheTrace() {
    Stage stage({.tokens = 200});
    const auto& flow = stage.routing.places();
    QCOMPARE(static_cast<int>(flow.lanes.size()), 4);
    std::vector<int> taken(4, 0), depths(4, 0);
    for (const auto& record : stage.model.trace().tokens) {
        ++depths[static_cast<std::size_t>(record.depth)];
        for (int lane = 0; lane <= record.depth; ++lane) ++taken[static_cast<std::size_t>(lane)];
    }
    double stacked = 0;
    for (std::size_t lane = 0; lane < 4; ++lane) {
        QCOMPARE(flow.lanes[lane].taken, taken[lane]);
        QCOMPARE(flow.lanes[lane].left, depths[lane]);
        QCOMPARE(flow.lanes[lane].bar.height(), taken[lane] * flow.perToken);
        QCOMPARE(flow.lanes[lane].exit.height(), depths[lane] * flow.perToken);
        stacked += flow.lanes[lane].exit.height();
    }
    QVERIFY(std::abs(stacked - flow.lanes[0].bar.height()) < 1e-6);  // nobody is lost on the way
}

void RoutingViewTest::routingNotesEqualTheToken() {
    Stage stage;
    for (int token = 0; token < 47; ++token) {
        stage.selection.setHovered(token);
        const auto notes = stage.routing.notes();
        QCOMPARE(static_cast<int>(notes.size()), 3);
        for (const auto& note : notes) {
            const auto& decision = stage.model.token(token).recursions[static_cast<std::size_t>(note.recursion)];
            QVERIFY(note.score.endsWith(scoreText(decision.score)));
            QCOMPARE(note.gate, scoreText(decision.gate));
            QCOMPARE(note.taken, decision.outcome == mor::Outcome::Take);
            QCOMPARE(note.rule.isEmpty(), decision.outcome == mor::Outcome::NotOffered);
        }
    }
}

void RoutingViewTest::histogramsAppearWhereThereIsRoom_data() {
    QTest::addColumn<int>("recursions");
    for (const int recursions : {2, 3, 4}) QTest::addRow("%d", recursions) << recursions;
}

void RoutingViewTest::histogramsAppearWhereThereIsRoom() {
    QFETCH(int, recursions);
    Stage stage({.recursions = recursions});
    stage.routing.resize(412, 186);  // as in a window of 1280 x 800
    for (int r = 0; r < recursions; ++r) QVERIFY(stage.routing.places().histograms[static_cast<std::size_t>(r)].height() >= 24);
    QVERIFY(stage.routing.places().histograms[0].right() < stage.routing.places().histograms[1].left());
    QVERIFY(stage.routing.places().histograms[0].top() > stage.routing.places().lanes[0].bar.bottom());
    stage.routing.resize(440, 140);
    QVERIFY(stage.routing.places().histograms.empty());
    QVERIFY(stage.routing.places().lanes[0].bar.height() > 20);
}

void RoutingViewTest::thresholdIsDraggedAndPutBack() {
    Stage stage;
    stage.routing.resize(500, 260);
    const auto area = stage.routing.places().histograms[1];
    const auto point = [&](double score) { return QPointF(histogramX(area, score), area.center().y()).toPoint(); };
    QTest::mousePress(&stage.routing, Qt::LeftButton, Qt::NoModifier, point(0.2));  // beside the line: nothing
    QTest::mouseMove(&stage.routing, point(0.3));
    QTest::mouseRelease(&stage.routing, Qt::LeftButton, Qt::NoModifier, point(0.3));
    QVERIFY(!stage.estimate.isActive());
    QTest::mousePress(&stage.routing, Qt::LeftButton, Qt::NoModifier, point(stage.estimate.threshold()));
    QTest::mouseMove(&stage.routing, point(0.9));
    QTest::mouseRelease(&stage.routing, Qt::LeftButton, Qt::NoModifier, point(0.9));
    QVERIFY(std::abs(stage.estimate.threshold() - 0.9) < 0.02);
    QTest::mouseDClick(&stage.routing, Qt::LeftButton, Qt::NoModifier, point(stage.estimate.threshold()));
    QVERIFY(!stage.estimate.isActive());
}

void RoutingViewTest::estimateIsSaid() {
    Stage stage;
    QSignalSpy captions(&stage.routing, &RoutingView::captionChanged);
    const auto before = grabbed(stage.routing);
    stage.estimate.setThreshold(0.95);
    QCOMPARE(captions.count(), 1);
    const auto summary = stage.estimate.summary();
    QVERIFY(summary.shallower > 0);
    QCOMPARE(stage.routing.caption(),
             QStringLiteral("estimate at 0.950: %1 leave earlier, 0 go further").arg(summary.shallower));
    QVERIFY(stage.routing.description().contains(QStringLiteral("estimate at 0.950")));
    QVERIFY(grabbed(stage.routing) != before);
    stage.estimate.setThreshold(0.05);
    QVERIFY(stage.routing.caption().contains(QStringLiteral("unknown how far")));
    stage.estimate.reset();
    QCOMPARE(grabbed(stage.routing), before);
}

void RoutingViewTest::thresholdFollowsTheKeys() {
    Stage stage;
    QTest::keyClick(&stage.routing, Qt::Key_Up);
    QCOMPARE(stage.estimate.threshold(), 0.51);
    QTest::keyClick(&stage.routing, Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(stage.estimate.threshold(), 0.41);
    QTest::keyClick(&stage.routing, Qt::Key_Backspace);
    QVERIFY(!stage.estimate.isActive());
}

void RoutingViewTest::runsWithoutThresholdCannotBeAsked_data() {
    QTest::addColumn<SyntheticOptions>("options");
    QTest::newRow("token choice") << SyntheticOptions{.routing = mor::Routing::TokenChoice};
    QTest::newRow("unrouted") << SyntheticOptions{.routing = mor::Routing::None};
    QTest::newRow("top-k") << SyntheticOptions{.rule = mor::SelectionRule::TopK};
    QTest::newRow("vanilla") << SyntheticOptions{.recursions = 0};
}

void RoutingViewTest::runsWithoutThresholdCannotBeAsked() {
    QFETCH(SyntheticOptions, options);
    Stage stage(options);
    const auto before = grabbed(stage.routing);
    stage.estimate.setThreshold(0.7);
    QVERIFY(!stage.estimate.isActive());
    QTest::keyClick(&stage.routing, Qt::Key_Up);
    QVERIFY(!stage.estimate.isActive());
    QCOMPARE(grabbed(stage.routing), before);
}

void RoutingViewTest::twoRoutersDisagree() {
    auto trace = syntheticTrace({});
    trace.header.config.mor.sampling = mor::ExpertSampling::AuxRouter;
    for (auto& token : trace.tokens)
        for (auto& decision : token.recursions) {
            if (!std::isfinite(decision.score)) continue;
            decision.aux_logit = decision.logit;  // the auxiliary router decides
            decision.logit = token.position % 2 ? decision.aux_logit : -decision.aux_logit;
        }
    Stage stage(trace);
    int differing = 0, offered = 0;
    for (int r = 0; r < 3; ++r) {
        // The main router's best, as many as were taken.
        std::vector<std::pair<float, int>> ranked;
        int taken = 0;
        for (const auto& token : trace.tokens) {
            const auto& decision = token.recursions[static_cast<std::size_t>(r)];
            if (decision.outcome == mor::Outcome::NotOffered) continue;
            ranked.emplace_back(-decision.logit, token.position);
            taken += decision.outcome == mor::Outcome::Take;
        }
        std::sort(ranked.begin(), ranked.end());
        offered += static_cast<int>(ranked.size());
        for (int i = 0; i < static_cast<int>(ranked.size()); ++i) {
            const int token = ranked[static_cast<std::size_t>(i)].second;
            const bool differs = (i < taken) != (r < trace.tokens[static_cast<std::size_t>(token)].depth);
            differing += differs;
            stage.selection.setHovered(token);
            const auto note = stage.routing.notes()[static_cast<std::size_t>(r)].other;
            QVERIFY(!note.isEmpty());
            QCOMPARE(note.endsWith(QStringLiteral("≠")), differs);
        }
    }
    QVERIFY(differing > 5 && differing < offered);
    QCOMPARE(stage.routing.caption(),
             QStringLiteral("auxiliary decides; main differs in %1 of %2 (≠)").arg(differing).arg(offered));
    Stage single;
    QVERIFY(single.routing.notes()[0].other.isEmpty());
}

QTEST_MAIN(RoutingViewTest)
#include "tst_routing_view.moc"
