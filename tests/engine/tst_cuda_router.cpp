// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <map>
#include <numeric>

#include "engine/cuda_operations.hpp"
#include "run/routing.hpp"

using namespace mor;
using namespace cuda_test;
using reference::Doubles;

Q_DECLARE_METATYPE(mor::DType)

namespace {

std::size_t size(int rows, int width) { return static_cast<std::size_t>(rows) * width; }

/// Where compaction puts rows: those taken in their order, then those of [rest, n) that are not.
std::vector<int> places_of(const std::vector<bool>& taken, const std::vector<int>& rows, int rest) {
    std::vector<int> places;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (taken[i]) places.push_back(rows[i]);
    for (auto i = static_cast<std::size_t>(rest); i < rows.size(); ++i)
        if (!taken[i]) places.push_back(rows[i]);
    return places;
}

}  // namespace

/// Routers on the device against loops in double precision, and the compaction of the rows that go on against the host's
/// decisions.
class TestCudaRouter : public QObject {
    Q_OBJECT

private:
    TestDevice device_;
    std::map<std::string, double> errors_;  ///< router and type -> largest

    std::vector<float> router(const DeviceRouter&, const std::vector<float>& x, const std::vector<int>& rows, float scale,
                              std::size_t shift);
    void check(DType, int in, int inner, int out, std::size_t shift);
    std::vector<int> compact(const std::vector<float>& scores, const std::vector<DeviceCut>& cuts,
                             const std::vector<int>& rows, int rest);

private slots:
    void routers_data() {
        QTest::addColumn<DType>("type");
        for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t)) << t;
    }
    void routers();
    void special_values();
    void compaction_data();
    void compaction();
    void cuts_and_scores_of_no_value();
    void host_and_device_decide_alike();
    void cleanupTestCase();
};

std::vector<float> TestCudaRouter::router(const DeviceRouter& r, const std::vector<float>& x, const std::vector<int>& rows,
                                          float scale, std::size_t shift) {
    const auto x_there = device_.put(x, shift);
    const auto rows_there = device_.put(rows);
    const auto outputs = device_.put(std::vector<float>(rows.size() * static_cast<std::size_t>(r.outer.out)), shift);
    Context c = device_.context();
    cuda::router(c, r, x_there.data(), rows_there.data(), static_cast<int>(rows.size()), scale, outputs.data());
    return device_.get(outputs);
}

/// inner 0: a linear router.
void TestCudaRouter::check(DType type, int in, int inner, int out, std::size_t shift) {
    std::mt19937 random(static_cast<unsigned>(in + inner + out));
    const int total = 30, last = inner ? inner : in;
    const Weights outer(device_, random, type, out, last), first(device_, random, type, std::max(inner, 1), in);
    const DeviceRouter r{inner ? first.matrix() : DeviceMatrix{}, outer.matrix()};
    const auto x = reference::random_floats(random, size(total, in), 2);
    for (const std::vector<int>& rows : {std::vector<int>{}, {17}, {29, 0}, {3, 3, 8, 1, 22}}) {
        const int n = static_cast<int>(rows.size());
        const auto got = router(r, x, rows, 0.7f, shift);
        Doubles picked;
        for (const int row : rows)
            for (int k = 0; k < in; ++k)
                picked.push_back(0.7f * static_cast<double>(x[size(row, in) + static_cast<std::size_t>(k)]));
        Doubles expected = picked;
        if (inner) {
            expected = reference::product(picked, first.host.values, n, in, inner);
            for (double& h : expected) h = reference::gelu(h);
        }
        expected = reference::product(expected, outer.host.values, n, last, out);
        double error = 0, scale = 1;  // what outputs usually are: a single one may be near zero
        for (const double e : expected) scale = std::max(scale, std::abs(e));
        for (std::size_t i = 0; i < expected.size(); ++i) error = std::max(error, std::abs(got[i] - expected[i]) / scale);
        double& worst = errors_[std::string(inner ? "mlp, " : "linear, ") + name_of(type)];
        worst = std::max(worst, error);
        QVERIFY2(error <= 2e-6, qPrintable(QString("%1 -> %2 -> %3: error %4").arg(in).arg(inner).arg(out).arg(error)));
        for (int i = 0; i < n; ++i) {  // a decision must not depend on who is there, too
            const auto alone = router(r, x, {rows[static_cast<std::size_t>(i)]}, 0.7f, shift);
            QVERIFY(std::equal(alone.begin(), alone.end(), got.begin() + static_cast<std::ptrdiff_t>(i) * out));
        }
    }
}

/// Odd and even widths, one output to more than a block computes, states and weights at any address.
void TestCudaRouter::routers() {
    QFETCH(DType, type);
    for (const auto& [in, out] : {std::pair{1, 1}, {7, 2}, {33, 3}, {64, 1}, {83, 5}, {576, 1}, {577, 2}, {1032, 9}})
        for (const std::size_t shift : {0u, 1u}) check(type, in, 0, out, shift);
    for (const auto& [in, inner] : {std::pair{1, 1}, {33, 70}, {64, 128}, {83, 150}, {128, 33}})
        for (const std::size_t shift : {0u, 1u}) check(type, in, inner, inner % 2 ? 3 : 1, shift);
}

/// A state that is not a number spoils its own row and no other.
void TestCudaRouter::special_values() {
    std::mt19937 random(7);
    const Weights outer(device_, random, DType::F32, 1, 40);
    auto x = reference::random_floats(random, size(3, 40));
    x[40 + 11] = std::nanf("");
    x[80 + 3] = INFINITY;
    const auto got = router({{}, outer.matrix()}, x, {0, 1, 2, 0}, 1, 0);
    QVERIFY(std::isfinite(got[0]) && std::isnan(got[1]) && !std::isfinite(got[2]) && got[3] == got[0]);
}

// ------------------------------------------------------------------------------------------------ compaction

/// The places filled, checked for nothing behind them having been touched.
std::vector<int> TestCudaRouter::compact(const std::vector<float>& scores, const std::vector<DeviceCut>& cuts,
                                         const std::vector<int>& rows, int rest) {
    const auto scores_there = device_.put(scores);
    const auto cuts_there = device_.put(cuts);
    const auto rows_there = device_.put(rows), places = device_.put(std::vector<int>(rows.size(), -7)),
               count = device_.put(std::vector<int>{-7});
    Context c = device_.context();
    cuda::compact(c, scores_there.data(), cuts_there.data(), rows_there.data(), static_cast<int>(rows.size()), rest,
                  places.data(), count.data());
    auto got = device_.get(places);
    const auto n = static_cast<std::size_t>(device_.get(count)[0]);
    if (n > got.size() ||
        std::any_of(got.begin() + static_cast<std::ptrdiff_t>(n), got.end(), [](int p) { return p != -7; }))
        return {-1};
    got.resize(n);
    return got;
}

void TestCudaRouter::compaction_data() {
    QTest::addColumn<int>("n");
    for (const int n : {0, 1, 2, 31, 32, 33, 64, 100, 1023, 1024, 1025, 2500}) QTest::addRow("%d", n) << n;
}

/// All, none, alternating and random rows; the others wanted behind them, half of them, or not.
void TestCudaRouter::compaction() {
    QFETCH(int, n);
    std::mt19937 random(static_cast<unsigned>(n));
    std::vector<int> rows(static_cast<std::size_t>(n));
    for (int& r : rows) r = static_cast<int>(random() % 5000);
    for (int pattern = 0; pattern < 5; ++pattern) {
        std::vector<float> scores(2 * rows.size());
        std::vector<DeviceCut> cuts;
        std::vector<bool> taken;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const bool takes = pattern == 0   ? true
                               : pattern == 1 ? false
                               : pattern == 2 ? i % 2 == 0
                               : pattern == 3 ? random() % 2 == 0
                                              : random() % 40 == 0;
            const std::size_t score = random() % 2 ? i : rows.size() + i;  // main router's or auxiliary one's
            const float cut = static_cast<float>(random() % 9) - 4;
            scores[score] = takes ? cut + static_cast<float>(random() % 2) : std::nextafter(cut, -1e9f);
            scores[score < rows.size() ? rows.size() + i : i] = takes ? -1e9f : 1e9f;  // the other must not matter
            cuts.push_back({cut, static_cast<int>(score)});
            taken.push_back(takes);
        }
        for (const int rest : {n, n / 2, 0, std::max(0, n - 1)})
            QVERIFY2(compact(scores, cuts, rows, rest) == places_of(taken, rows, rest),
                     qPrintable(QString("pattern %1, rest from %2").arg(pattern).arg(rest)));
    }
}

void TestCudaRouter::cuts_and_scores_of_no_value() {
    const float nan = std::nanf("");
    const std::vector<float> scores{nan, INFINITY, -INFINITY, 0};
    std::vector<DeviceCut> cuts;
    std::vector<bool> taken;
    std::vector<int> rows;
    for (const float cut : {-INFINITY, INFINITY, 0.0f, -0.0f, 3e38f, nan}) {
        for (int s = 0; s < 4; ++s) {
            cuts.push_back({cut, s});
            taken.push_back(RoutingCut{cut}.takes(scores[static_cast<std::size_t>(s)]));
            rows.push_back(static_cast<int>(rows.size()));
        }
    }
    QCOMPARE(compact(scores, cuts, rows, 0), places_of(taken, rows, 0));
    QVERIFY(taken[0] && taken[2] && !taken[5] && !taken[8] && taken[11]);
}

/// Threshold, either head, forced and fixed depths, with and without K/V of the rows that leave: the device keeps the rows
/// whose outcome is Take, and behind them those that only store K/V.
void TestCudaRouter::host_and_device_decide_alike() {
    MorConfig config{.sharing = Sharing::MiddleCycle,
                     .num_recursion = 3,
                     .routing = Routing::ExpertChoice,
                     .capacity = {1.0, 0.667, 0.333},
                     .alpha = 0.1};
    config.sampling = ExpertSampling::AuxRouter;
    std::mt19937 random(23);
    const int n = 300;
    std::vector<int> positions(n);
    std::iota(positions.begin(), positions.end(), 0);
    for (const double threshold : {0.5, 0.31, 0.9}) {
        for (const RoutingHead head : {RoutingHead::Model, RoutingHead::Main, RoutingHead::Auxiliary}) {
            for (const int fixed : {-1, 2}) {
                RoutingSettings settings{.threshold = threshold, .head = head};
                if (fixed >= 0) settings.fixed_depth = fixed;
                for (int p = 0; p < n; p += 7) settings.forced_depth[p] = p % 4;
                std::vector<float> scores = reference::random_floats(random, 2 * n);
                const auto cut = static_cast<float>(std::log(threshold / (1 - threshold)));
                for (int i = 0; i < 2 * n; i += 5) scores[static_cast<std::size_t>(i)] = cut;  // and one step beside it
                for (int i = 1; i < 2 * n; i += 5) scores[static_cast<std::size_t>(i)] = std::nextafter(cut, -9.0f);
                for (int r = 0; r < 3; ++r) {
                    const ExpertRule rule{config, settings, r, r == 0};
                    const auto decisions =
                        decide_expert(rule, positions, std::span(scores).first(n), std::span(scores).last(n), 0);
                    std::vector<DeviceCut> cuts;
                    std::vector<bool> taken;
                    for (int i = 0; i < n; ++i) {
                        const RoutingCut known = expert_cut(rule, i);
                        cuts.push_back({known.cut, known.auxiliary ? n + i : i});
                        taken.push_back(decisions[static_cast<std::size_t>(i)].outcome == Outcome::Take);
                    }
                    const int rest = rule.keeps_all_kv ? 0 : n;
                    QVERIFY(compact(scores, cuts, positions, rest) == places_of(taken, positions, rest));
                }
            }
        }
    }
}

void TestCudaRouter::cleanupTestCase() {
    QVERIFY2(device_.intact(), "an operation wrote behind its output");
    std::printf("largest error relative to the largest value, on %s\n", device_.info().name.c_str());
    for (const auto& [which, error] : errors_) std::printf("  router %-14s %.1e\n", which.c_str(), error);
}

QTEST_APPLESS_MAIN(TestCudaRouter)
#include "tst_cuda_router.moc"
