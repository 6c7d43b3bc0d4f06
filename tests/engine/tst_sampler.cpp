// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <random>

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

    /// What the backend's k best say is what all logits say, ties, negative zeros and equal random numbers included.
    void candidates_are_enough() {
        std::mt19937 random(5);
        for (const Sampling& settings : {Sampling{},
                                         {.temperature = 0.7f, .top_k = 1, .seed = 2},
                                         {.temperature = 1.3f, .top_k = 12, .seed = 3},
                                         {.temperature = 0.9f, .top_k = kMostCandidates, .top_p = 0.8f, .seed = 4},
                                         {.temperature = 5, .top_k = 100, .top_p = 0.99f, .seed = 5}}) {
            Sampler all(settings), few(settings);
            for (int i = 0; i < 300; ++i) {
                std::vector<float> logits(static_cast<std::size_t>(1 + random() % 400));
                for (float& l : logits) l = static_cast<float>(static_cast<int>(random() % 41) - 20) * 0.25f;
                if (i % 3 == 0) std::replace(logits.begin(), logits.end(), 0.0f, -0.0f);
                std::vector<std::pair<int, float>> best;
                for (std::size_t t = 0; t < logits.size(); ++t) best.emplace_back(static_cast<int>(t), logits[t]);
                std::stable_sort(best.begin(), best.end(), [](auto& a, auto& b) { return a.second > b.second; });
                QVERIFY(few.candidates() > 0);
                best.resize(std::min(best.size(), static_cast<std::size_t>(few.candidates())));
                const int token = all.choose(logits);
                QCOMPARE(few.choose(best), (std::pair{token, logits[static_cast<std::size_t>(token)]}));
            }
        }
    }

    void the_whole_row_is_asked_for_only_where_it_is_needed() {
        QCOMPARE(Sampler({}).candidates(), 1);
        QCOMPARE(Sampler({.top_k = 7}).candidates(), 1);  // greedy whatever else is set
        QCOMPARE(Sampler({.temperature = 1, .top_k = 7}).candidates(), 7);
        QCOMPARE(Sampler({.temperature = 1, .top_k = kMostCandidates}).candidates(), kMostCandidates);
        QCOMPARE(Sampler({.temperature = 1, .top_k = kMostCandidates + 1}).candidates(), 0);
        QCOMPARE(Sampler({.temperature = 1, .top_p = 0.5f}).candidates(), 0);
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
