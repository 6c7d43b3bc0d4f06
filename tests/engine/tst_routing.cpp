// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <cmath>

#include "mor/error.hpp"
#include "run/routing.hpp"

using namespace mor;

namespace {

MorConfig expert_config() {
    return {.sharing = Sharing::MiddleCycle,
            .num_recursion = 3,
            .routing = Routing::ExpertChoice,
            .capacity = {1.0, 0.667, 0.333},
            .alpha = 0.1};
}

std::vector<int> positions(int n) {
    std::vector<int> p(n);
    for (int i = 0; i < n; ++i) p[i] = i;
    return p;
}

QString outcomes(const std::vector<Decision>& decisions) {
    QString s;
    for (const Decision& d : decisions) s += "nTLk"[static_cast<int>(d.outcome)];
    return s;
}

}  // namespace

class RoutingRules : public QObject {
    Q_OBJECT

private slots:
    void gates_data() {
        QTest::addColumn<int>("function");
        QTest::addColumn<double>("expected");
        QTest::newRow("identity") << int(RouterFunction::Identity) << 0.7;
        QTest::newRow("sigmoid") << int(RouterFunction::Sigmoid) << 0.25 / (1 + std::exp(-0.7));
        QTest::newRow("tanh") << int(RouterFunction::Tanh) << 0.25 * std::tanh(0.7);
    }
    void gates() {
        QFETCH(int, function);
        QFETCH(double, expected);
        MorConfig c = expert_config();
        c.alpha = 0.25;
        c.router_func = static_cast<RouterFunction>(function);
        QVERIFY(std::abs(gate_of(c, 0.7f) - expected) < 1e-6);
    }

    void threshold_is_a_probability() {
        const MorConfig c = expert_config();
        const std::vector<float> z{-0.1f, 0.0f, 1.0f, 1.2f};
        RoutingSettings s;
        QCOMPARE(outcomes(decide_expert({c, s, 1}, positions(4), z, {}, 0)), QString("LTTT"));
        s.threshold = 0.75;  // logit 1.0986
        const auto d = decide_expert({c, s, 1}, positions(4), z, {}, 0);
        QCOMPARE(outcomes(d), QString("LLLT"));
        QVERIFY(std::abs(d[3].margin - (1.2f - std::log(3.0f))) < 1e-6f);
        QVERIFY(std::isnan(d[0].gate) && !std::isnan(d[3].gate));
        QVERIFY(std::abs(d[2].score - 1 / (1 + std::exp(-1.0f))) < 1e-6f);
    }

    void top_k_takes_int_of_capacity_and_breaks_ties_to_the_lower_position() {
        const MorConfig c = expert_config();
        const std::vector<float> z{0.5f, 2.0f, 0.5f, 0.5f, -1.0f};
        // int(0.667 * 5) = 3
        const auto d = decide_expert({c, {}, 1}, positions(5), z, {}, 5);
        QCOMPARE(outcomes(d), QString("TTTLL"));
        QCOMPARE(d[1].margin, 1.5f);
        QCOMPARE(d[4].margin, -1.5f);
    }

    void top_k_always_takes_one_and_never_more_than_there_are() {
        const MorConfig c = expert_config();
        const std::vector<float> one{-3.0f};
        QCOMPARE(outcomes(decide_expert({c, {}, 2}, positions(1), one, {}, 1)), QString("T"));
        const std::vector<float> two{-3.0f, -4.0f};
        QCOMPARE(outcomes(decide_expert({c, {}, 0}, positions(2), two, {}, 48)), QString("TT"));
    }

    void leaving_rows_keep_their_kv_when_the_cache_is_shared() {
        const MorConfig c = expert_config();
        const std::vector<float> z{-1.0f, 1.0f};
        QCOMPARE(outcomes(decide_expert({c, {}, 0, true}, positions(2), z, {}, 0)), QString("kT"));
    }

    void imposed_depths_override_the_selection_but_not_the_gate() {
        const MorConfig c = expert_config();
        const std::vector<float> z{-1.0f, -1.0f, 1.0f};
        RoutingSettings s;
        s.fixed_depth = 2;
        s.forced_depth = {{2, 1}};
        const auto d = decide_expert({c, s, 1}, positions(3), z, {}, 0);
        QCOMPARE(outcomes(d), QString("TTL"));
        QCOMPARE(d[0].gate, gate_of(c, -1.0f));
    }

    void the_auxiliary_router_decides_when_it_is_the_head() {
        MorConfig c = expert_config();
        c.sampling = ExpertSampling::AuxRouter;
        const std::vector<float> z{1.0f, -1.0f}, aux{-1.0f, 1.0f};
        QCOMPARE(outcomes(decide_expert({c, {}, 0}, positions(2), z, aux, 0)), QString("LT"));
        RoutingSettings s;
        s.head = RoutingHead::Main;
        QCOMPARE(outcomes(decide_expert({c, s, 0}, positions(2), z, aux, 0)), QString("TL"));
        // TopK is the training-time rule and always reads the main router
        QCOMPARE(outcomes(decide_expert({c, {}, 2}, positions(2), z, aux, 2)), QString("TL"));
    }

    /// At the cut itself, next to it, and for logits of no value; imposed depths need no score.
    void thresholds_and_imposed_depths_at_the_edge() {
        MorConfig c = expert_config();
        c.sampling = ExpertSampling::AuxRouter;
        const float cut = static_cast<float>(std::log(0.7 / (1.0 - 0.7)));
        const std::vector<float> z{cut, std::nextafter(cut, -1.0f), std::nextafter(cut, 1.0f), NAN, INFINITY, -INFINITY, 0};
        std::vector<float> aux(z.rbegin(), z.rend());
        for (const double threshold : {0.5, 0.7, 1e-300, 1 - 1e-16}) {
            for (const RoutingHead head : {RoutingHead::Model, RoutingHead::Main, RoutingHead::Auxiliary}) {
                for (const int depth : {-1, 0, 1, 2, 3}) {
                    RoutingSettings s{.threshold = threshold, .head = head, .forced_depth = {{1, 3}, {3, 2}, {4, 1}}};
                    if (depth >= 0) s.fixed_depth = depth;
                    for (int r = 0; r < 3; ++r) {
                        const ExpertRule rule{c, s, r, r == 0};
                        const auto d = decide_expert(rule, positions(static_cast<int>(z.size())), z, aux, 0);
                        for (std::size_t i = 0; i < z.size(); ++i) {
                            const int imposed = s.forced_depth.contains(static_cast<int>(i))
                                                    ? s.forced_depth.at(static_cast<int>(i))
                                                    : depth;
                            const float score = head == RoutingHead::Main ? z[i] : aux[i];
                            const auto limit = static_cast<float>(std::log(threshold / (1.0 - threshold)));
                            QCOMPARE(d[i].outcome == Outcome::Take, imposed >= 0 ? r < imposed : score >= limit);
                        }
                    }
                }
            }
        }
    }

    void token_choice_fixes_the_depth_at_once() {
        MorConfig c = expert_config();
        c.routing = Routing::TokenChoice;
        c.router_func = RouterFunction::Softmax;
        c.alpha = 1.0;
        const std::vector<float> z{0.0f, 2.0f, 1.0f};
        auto d = decide_token(c, {}, 0, z, {});
        QCOMPARE(outcomes(d), QString("TTL"));
        const float p = std::exp(2.0f) / (1 + std::exp(2.0f) + std::exp(1.0f));
        QVERIFY(std::abs(d[1].gate - p) < 1e-6f && std::isnan(d[0].gate));
        const std::vector<float> bias{0.0f, 0.0f, 1.0f};  // enters the choice, not the gate
        d = decide_token(c, {}, 0, z, bias);
        QCOMPARE(outcomes(d), QString("TTT"));
        QVERIFY(d[2].gate < 0.5f && d[2].score > 1.0f);
    }

    void settings_are_checked_data() {
        QTest::addColumn<double>("threshold");
        QTest::addColumn<int>("depth");
        QTest::addColumn<bool>("auxiliary");
        QTest::addColumn<QString>("word");
        QTest::newRow("zero") << 0.0 << -1 << false << "threshold";
        QTest::newRow("one") << 1.0 << -1 << false << "threshold";
        QTest::newRow("nan") << std::nan("") << -1 << false << "threshold";
        QTest::newRow("too deep") << 0.5 << 4 << false << "depth";
        QTest::newRow("no such head") << 0.5 << -1 << true << "auxiliary";
    }
    void settings_are_checked() {
        QFETCH(double, threshold);
        QFETCH(int, depth);
        QFETCH(bool, auxiliary);
        QFETCH(QString, word);
        ModelConfig c;
        c.mor = expert_config();
        RoutingSettings s{.threshold = threshold};
        if (depth >= 0) s.fixed_depth = depth;
        if (auxiliary) s.head = RoutingHead::Auxiliary;
        try {
            check_routing(c, s);
            QFAIL("accepted");
        } catch (const Error& e) {
            QVERIFY2(QString(e.what()).contains(word), e.what());
        }
    }
};

QTEST_GUILESS_MAIN(RoutingRules)
#include "tst_routing.moc"
