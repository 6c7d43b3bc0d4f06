// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <cmath>

#include "mor/error.hpp"
#include "run/sampler.hpp"

using namespace mor;

class SamplerTest : public QObject {
    Q_OBJECT

private:
    static std::vector<int> draw(const Sampling& settings, const std::vector<float>& logits, int n) {
        Sampler sampler(settings);
        std::vector<int> counts(logits.size());
        for (int i = 0; i < n; ++i) ++counts[sampler.choose(logits)];
        return counts;
    }

private slots:
    void greedy_takes_the_lower_of_equals() { QCOMPARE(Sampler({}).choose(std::vector<float>{1, 3, 3, 2}), 1); }

    void frequencies_follow_the_softmax() {
        const std::vector<float> logits{0.0f, 1.0f, 2.0f};
        const float t = 0.7f;
        const auto counts = draw({.temperature = t, .seed = 3}, logits, 100000);
        double sum = 0;
        for (const float l : logits) sum += std::exp(l / t);
        for (std::size_t i = 0; i < logits.size(); ++i)
            QVERIFY(std::abs(counts[i] / 1e5 - std::exp(logits[i] / t) / sum) < 0.01);
    }

    void top_k_and_top_p_cut_the_tail() {
        const std::vector<float> logits{0.0f, 5.0f, 4.0f, 3.0f};
        auto counts = draw({.temperature = 1.0f, .top_k = 2, .seed = 1}, logits, 2000);
        QVERIFY(counts[0] == 0 && counts[3] == 0 && counts[1] > 0 && counts[2] > 0);
        counts = draw({.temperature = 1.0f, .top_p = 0.5f, .seed = 1}, logits, 2000);  // the best alone has 0.66
        QCOMPARE(counts[1], 2000);
        counts = draw({.temperature = 1.0f, .top_p = 0.8f, .seed = 1}, logits, 2000);
        QVERIFY(counts[0] == 0 && counts[3] == 0 && counts[2] > 0);
    }

    void a_seed_gives_the_same_tokens_and_a_copy_goes_on_alike() {
        const std::vector<float> logits(50, 0.0f);
        Sampler a({.temperature = 1.0f, .seed = 7}), b({.temperature = 1.0f, .seed = 7});
        for (int i = 0; i < 20; ++i) QCOMPARE(a.choose(logits), b.choose(logits));
        Sampler c = a;
        for (int i = 0; i < 20; ++i) QCOMPARE(a.choose(logits), c.choose(logits));
    }

    void settings_are_checked() {
        QVERIFY_EXCEPTION_THROWN(check_sampling({.temperature = -1}), Error);
        QVERIFY_EXCEPTION_THROWN(check_sampling({.temperature = NAN}), Error);
        QVERIFY_EXCEPTION_THROWN(check_sampling({.top_k = -1}), Error);
        QVERIFY_EXCEPTION_THROWN(check_sampling({.top_p = 0}), Error);
        QVERIFY_EXCEPTION_THROWN(check_sampling({.top_p = 1.1f}), Error);
        check_sampling({});
    }
};

QTEST_GUILESS_MAIN(SamplerTest)
#include "tst_sampler.moc"
