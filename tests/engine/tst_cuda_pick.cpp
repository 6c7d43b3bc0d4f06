// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <numeric>

#include "engine/cuda_operations.hpp"

using namespace mor;
using namespace cuda_test;

namespace {

struct Picked {
    std::vector<DevicePick> best;
    std::vector<float> log_sum_exp, wanted;
};

/// Tokens of a row, best first, ties to the lower token; what is not a number counts as minus infinity.
std::vector<int> order_of(const float* row, int vocab) {
    const auto value = [&](int t) { return std::isnan(row[t]) ? -INFINITY : row[t]; };
    std::vector<int> order(static_cast<std::size_t>(vocab));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return value(a) > value(b); });
    return order;
}

double log_sum_exp_of(const float* row, int vocab) {
    const double largest = *std::max_element(row, row + vocab);
    double sum = 0;
    for (int t = 0; t < vocab; ++t) sum += std::exp(row[t] - largest);
    return largest + std::log(sum);
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

/// The best of rows of logits on the device against a stable sort.
class TestCudaPick : public QObject {
    Q_OBJECT

private:
    TestDevice device_;
    double worst_ = 0;

    Picked pick(const std::vector<float>& logits, int n, int vocab, int k, const std::vector<int>& wanted,
                std::size_t shift = 0) {
        const auto there = device_.put(logits, shift);
        const auto best = device_.put(std::vector<DevicePick>(static_cast<std::size_t>(n) * k));
        const auto sums = device_.put(std::vector<float>(static_cast<std::size_t>(n)));
        const auto of = device_.put(wanted);
        const auto found = device_.put(std::vector<float>(wanted.size()));
        Context c = device_.context();
        cuda::pick(c, there.data(), n, vocab, k, wanted.empty() ? nullptr : of.data(),
                   {best.data(), sums.data(), wanted.empty() ? nullptr : found.data()});
        return {device_.get(best), device_.get(sums), device_.get(found)};
    }

    /// The k best and the wanted logits, exactly.
    void check(const std::vector<float>& logits, int n, int vocab, int k, const std::vector<int>& wanted,
               const Picked& got) {
        for (int r = 0; r < n; ++r) {
            const float* row = logits.data() + static_cast<std::ptrdiff_t>(r) * vocab;
            const auto order = order_of(row, vocab);
            for (int j = 0; j < k; ++j) {
                const DevicePick& p = got.best[static_cast<std::size_t>(r) * k + j];
                QCOMPARE(p.token, order[static_cast<std::size_t>(j)]);
                QVERIFY(same(p.logit, row[p.token]));
            }
            if (wanted.empty()) continue;
            const int token = wanted[static_cast<std::size_t>(r)];
            QVERIFY(same(got.wanted[static_cast<std::size_t>(r)], token < 0 ? NAN : row[token]));
        }
    }

private slots:
    void sizes_data();
    void sizes();
    void any_address();
    void ties_everywhere();
    void extremes();
    void no_rows();
    void cleanupTestCase() {
        QVERIFY2(device_.intact(), "an operation wrote behind its output");
        std::printf("largest relative error of log-sum-exp: %.1e\n", worst_);
    }
};

void TestCudaPick::sizes_data() {
    QTest::addColumn<int>("vocab");
    for (const int vocab : {1, 2, 31, 255, 2047, 2048, 2049, 4100, 9000}) QTest::addRow("%d", vocab) << vocab;
}

/// Around pieces of 2,048 tokens, one and several rounds of merging, lists of up to 1,024, and the sort behind them.
void TestCudaPick::sizes() {
    QFETCH(int, vocab);
    for (const int n : {1, 3}) {
        std::mt19937 random(static_cast<unsigned>(vocab + n));
        auto logits = reference::random_floats(random, static_cast<std::size_t>(n) * vocab, 6);
        for (float& l : logits) l = std::round(l * 8) / 8;  // many ties
        for (const int k : {1, 2, 5, 33, 128, 1000, 1024, 1025, vocab}) {
            if (k > vocab || (n > 1 && k > 2000)) continue;
            std::vector<int> wanted{vocab - 1, -1, vocab / 2};
            wanted.resize(k % 2 == 0 ? 0 : static_cast<std::size_t>(n));
            const Picked got = pick(logits, n, vocab, k, wanted);
            check(logits, n, vocab, k, wanted, got);
            for (int r = 0; r < n; ++r) {
                const double expected = log_sum_exp_of(logits.data() + static_cast<std::ptrdiff_t>(r) * vocab, vocab);
                const double error = std::abs(got.log_sum_exp[static_cast<std::size_t>(r)] - expected);
                worst_ = std::max(worst_, error / std::max(1.0, std::abs(expected)));
                QVERIFY(error <= 1e-6 * std::max(1.0, std::abs(expected)));
            }
        }
    }
}

void TestCudaPick::any_address() {
    std::mt19937 random(5);
    const int vocab = 333, n = 3;
    const auto logits = reference::random_floats(random, static_cast<std::size_t>(n) * vocab);
    for (const std::size_t shift : {1u, 2u, 3u}) {
        const std::vector<int> wanted{0, 7, 332};
        check(logits, n, vocab, 9, wanted, pick(logits, n, vocab, 9, wanted, shift));
    }
}

/// Equal logits come in the order of their tokens, and so do the two zeros, which are equal.
void TestCudaPick::ties_everywhere() {
    for (const int vocab : {100, 5000}) {
        std::vector<float> logits(static_cast<std::size_t>(vocab), 1.25f);
        check(logits, 1, vocab, 40, {}, pick(logits, 1, vocab, 40, {}));
        for (std::size_t t = 0; t < logits.size(); ++t) logits[t] = t % 3 == 0 ? -0.0f : 0.0f;
        check(logits, 1, vocab, 40, {}, pick(logits, 1, vocab, 40, {}));
    }
}

void TestCudaPick::extremes() {
    const int vocab = 3000;
    const auto of = [&](float fill) { return std::vector<float>(vocab, fill); };
    auto logits = of(-INFINITY);
    Picked got = pick(logits, 1, vocab, 3, {5});
    check(logits, 1, vocab, 3, {5}, got);
    QCOMPARE(got.log_sum_exp[0], -INFINITY);

    logits[2999] = 1.5f;
    got = pick(logits, 1, vocab, 3, {2999});
    check(logits, 1, vocab, 3, {2999}, got);
    QCOMPARE(got.log_sum_exp[0], 1.5f);

    logits[7] = INFINITY;
    got = pick(logits, 1, vocab, 3, {7});
    check(logits, 1, vocab, 3, {7}, got);
    QCOMPARE(got.log_sum_exp[0], INFINITY);

    logits = of(-3e38f);
    logits[2100] = 3e38f;
    got = pick(logits, 1, vocab, 2, {});
    check(logits, 1, vocab, 2, {}, got);
    QCOMPARE(got.log_sum_exp[0], 3e38f);

    for (const std::size_t at : {0u, 2047u, 2048u, 2999u}) {  // one is enough, wherever it stands, and only its row knows
        logits = of(0.5f);
        logits.insert(logits.end(), vocab, 0.5f);
        logits[at] = std::nanf("");
        got = pick(logits, 2, vocab, 5, {static_cast<int>(at), 1});
        check(logits, 2, vocab, 5, {static_cast<int>(at), 1}, got);
        QVERIFY(std::isnan(got.log_sum_exp[0]) && std::isfinite(got.log_sum_exp[1]));
    }

    logits = of(std::nanf(""));
    check(logits, 1, vocab, 4, {}, pick(logits, 1, vocab, 4, {}));
}

void TestCudaPick::no_rows() {
    Context c = device_.context();
    cuda::pick(c, nullptr, 0, 100, 5, nullptr, {nullptr, nullptr, nullptr});
    QCOMPARE(device_.get(device_.put(std::vector<int>{3}))[0], 3);
}

QTEST_APPLESS_MAIN(TestCudaPick)
#include "tst_cuda_pick.moc"
