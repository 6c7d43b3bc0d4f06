// SPDX-License-Identifier: Apache-2.0
// Moving rows, routers and picks against plain compositions, on every backend.
#include "backend/plain_route.hpp"
#include "engine/backend_layer.hpp"
#include "mor/error.hpp"

using namespace mor;
using namespace mor::testing;

class TestBackendRows : public QObject {
    Q_OBJECT

private:
    ErrorTable errors_;

private slots:
    void embed_data() { backend_and_type(); }
    void embed();
    void gather_and_combine();
    void router_data() { backend_and_type(); }
    void router();
    void router_is_the_same_everywhere();
    void route_is_router_comparison_and_gather_data() { backend_column(); }
    void route_is_router_comparison_and_gather();
    void infinite_cuts_need_no_score_data() { backend_column(); }
    void infinite_cuts_need_no_score();
    void pick_data() { backend_column(); }
    void pick();
    void pick_of_extremes_data() { backend_column(); }
    void pick_of_extremes();
    void every_operation_ran_on_every_backend() {
        if (QCoreApplication::arguments().size() == 1) errors_.require({"combine", "router", "router mlp", "pick"});
    }
    void cleanupTestCase() { errors_.print(); }
};

void TestBackendRows::embed() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
    for (const int width : {1, 15, 16, 33, 256}) {
        std::mt19937 random(13);
        const int vocab = 50, n = 21;
        const Stored table(reference::random_floats(random, static_cast<std::size_t>(width) * vocab), type);
        const auto matrix = Layer::stacked(*b, table, {static_cast<std::size_t>(vocab)}, static_cast<std::size_t>(width));
        std::vector<int> ids, rows;
        for (int i = 0; i < n; ++i) {
            ids.push_back((i * 17 + 49) % vocab);
            rows.push_back((i * 5) % n);
        }
        std::vector<float> x(static_cast<std::size_t>(n) * width);
        b->embed(*matrix, ids, rows, x.data());
        for (int i = 0; i < n; ++i) {
            for (int k = 0; k < width; ++k) {
                QCOMPARE(static_cast<double>(x[static_cast<std::size_t>(rows[i]) * width + k]),
                         table.values[static_cast<std::size_t>(ids[i]) * width + k]);
            }
        }
    }
}

void TestBackendRows::gather_and_combine() {
    for (const std::string& name : backend_names()) {
        const auto b = host_backend(name);
        const int n = 30, width = 19;
        std::mt19937 random(17);
        const auto x = reference::random_floats(random, n * width), y = reference::random_floats(random, n * width);
        const std::vector<int> rows{29, 0, 7, 8, 9, 11, 12, 13, 14, 3, 20};
        const auto gates = reference::random_floats(random, rows.size());
        std::vector<float> gathered(rows.size() * width), replaced = x, added = x;
        b->gather(x.data(), rows, width, gathered.data());
        b->combine(y.data(), rows, {}, width, replaced.data());
        b->combine(y.data(), rows, gates, width, added.data());
        std::vector<float> expected_replaced = x;
        Doubles expected_added = reference::doubles(x);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (std::size_t k = 0; k < width; ++k) {
                const std::size_t at = static_cast<std::size_t>(rows[i]) * width + k;
                QCOMPARE(gathered[i * width + k], x[at]);
                expected_replaced[at] = y[i * width + k];
                expected_added[at] += static_cast<double>(gates[i]) * y[i * width + k];
            }
        }
        QVERIFY(replaced == expected_replaced);
        errors_.check("combine", name, DType::F32, reference::error(added.data(), expected_added), 1e-6);
    }
}

namespace {

struct RouterCase {
    Stored inner, outer;
    RouterWeights weights;
    std::vector<float> x;
    static constexpr int kWidth = 83, kHidden = 150, kOutputs = 3, kRows = 40;

    RouterCase(Backend& b, DType type, bool mlp) {
        std::mt19937 random(19);
        const int last = mlp ? kHidden : kWidth;
        if (mlp) {
            inner = Stored(reference::random_floats(random, kHidden * kWidth, 0.2f), type);
            weights.inner = Layer::stacked(b, inner, {kHidden}, kWidth);
        }
        outer = Stored(reference::random_floats(random, static_cast<std::size_t>(kOutputs * last), 0.2f), type);
        weights.outer = Layer::stacked(b, outer, {kOutputs}, static_cast<std::size_t>(last));
        x = reference::random_floats(random, kRows * kWidth, 2);
    }

    Doubles expected(const std::vector<int>& rows, double scale) const {
        Doubles picked;
        for (const int r : rows) {
            for (int k = 0; k < kWidth; ++k) picked.push_back(x[static_cast<std::size_t>(r * kWidth + k)] * scale);
        }
        const int n = static_cast<int>(rows.size());
        if (!weights.inner) return reference::product(picked, outer.values, n, kWidth, kOutputs);
        Doubles hidden = reference::product(picked, inner.values, n, kWidth, kHidden);
        for (double& h : hidden) h = reference::gelu(h);
        return reference::product(hidden, outer.values, n, kHidden, kOutputs);
    }
};

}  // namespace

void TestBackendRows::router() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
    for (const bool mlp : {false, true}) {
        const RouterCase c(*b, type, mlp);
        for (const std::vector<int>& rows : {std::vector<int>{5}, {0, 39, 4}, iota(RouterCase::kRows)}) {
            std::vector<float> out(rows.size() * RouterCase::kOutputs);
            b->router(c.weights, c.x.data(), rows, 0.7f, out.data());
            errors_.check(mlp ? "router mlp" : "router", name, type, reference::error(out.data(), c.expected(rows, 0.7f)),
                          2e-6);
        }
    }
}

/// With any kernel set and number of threads of the CPU, and with any number of rows on each backend.
void TestBackendRows::router_is_the_same_everywhere() {
    for (const DType type : kTypes) {
        for (const bool mlp : {false, true}) {
            std::map<bool, std::vector<float>> first;  // of the CPU's kernel sets, and of the device
            for (const std::string& name : backend_names()) {
                for (const int threads : is_cuda(name) ? std::vector{1} : std::vector{1, 3}) {
                    const auto b = host_backend(name, threads);
                    const RouterCase c(*b, type, mlp);
                    std::vector<float> all(RouterCase::kRows * RouterCase::kOutputs), single(all.size());
                    b->router(c.weights, c.x.data(), iota(RouterCase::kRows), 1.25f, all.data());
                    for (int r = 0; r < RouterCase::kRows; ++r) {
                        b->router(c.weights, c.x.data(), std::vector<int>{r}, 1.25f,
                                  single.data() + r * RouterCase::kOutputs);
                    }
                    QVERIFY2(all == single, name.c_str());
                    auto& expected = first[is_cuda(name)];
                    if (expected.empty()) expected = all;
                    QVERIFY2(all == expected, name.c_str());
                }
            }
        }
    }
}

namespace {

/// Routers with one output and rows in front of them.
struct RouteCase {
    static constexpr int kWidth = 44, kStates = 60;
    std::vector<std::shared_ptr<const Matrix>> kept;
    std::vector<RouterWeights> routers;
    std::vector<float> x;

    RouteCase(Backend& b, DType type) {
        std::mt19937 random(29);
        const auto matrix = [&](int out, int in) {
            const Stored w(reference::random_floats(random, static_cast<std::size_t>(out) * in, 0.3f), type);
            return Layer::stacked(b, w, {static_cast<std::size_t>(out)}, static_cast<std::size_t>(in));
        };
        routers = {{nullptr, matrix(1, kWidth)}, {nullptr, matrix(1, kWidth)}, {matrix(70, kWidth), matrix(1, 70)}};
        x = reference::random_floats(random, kStates * kWidth);
    }
};

}  // namespace

/// Bit for bit: linear and MLP routers, with and without the auxiliary one, several points, rows wanted although they are
/// not taken, no row, all rows, none taken.
void TestBackendRows::route_is_router_comparison_and_gather() {
    QFETCH(std::string, name);
    const auto b = host_backend(name);
    std::mt19937 random(31);
    for (const DType type : kTypes) {
        const RouteCase c(*b, type);
        for (const std::vector<int>& sizes : {std::vector{1}, {2, 1}, {33}, {20, 0, 13}, {40, 7, 80}, {1100}, {0}}) {
            for (const bool auxiliary : {false, true}) {
                const bool large = std::accumulate(sizes.begin(), sizes.end(), 0) > 100;
                if (large && (auxiliary || type != DType::F32) && is_cuda(name) && !exhaustive()) continue;
                std::vector<RoutingPoint> points;
                std::vector<int> rows;
                std::vector<RoutingCut> cuts;
                for (std::size_t p = 0; p < sizes.size(); ++p) {
                    points.push_back({&c.routers[2 - p], auxiliary ? &c.routers[p % 2] : nullptr, sizes[p]});
                    for (int i = 0; i < sizes[p]; ++i) {
                        rows.push_back(static_cast<int>(random() % RouteCase::kStates));
                        const float cut = random() % 9 == 0 ? INFINITY : random() % 8 == 0 ? -INFINITY : 0.2f;
                        cuts.push_back({cut, auxiliary && random() % 2 == 0});
                    }
                }
                const auto n = static_cast<int>(rows.size());
                for (const int rest : large ? std::vector{n / 2} : std::vector{n, n / 2, 0}) {
                    const RouteTask task{points, rows, cuts, rest, 0.7f};
                    std::vector<float> scores(rows.size() * (auxiliary ? 2 : 1)), expected_scores = scores;
                    std::vector<float> y(rows.size() * RouteCase::kWidth, 42.0f), expected = y;
                    b->route(task, c.x.data(), RouteCase::kWidth, y.data(), scores);
                    plain_route(*b, task, c.x.data(), RouteCase::kWidth, expected.data(), expected_scores);
                    QVERIFY(scores == expected_scores);
                    QVERIFY2(y == expected, qPrintable(QString("%1 rows, rest from %2").arg(n).arg(rest)));
                }
            }
        }
    }
}

/// A state that is not a number has no score; cuts still force the row in or out.
void TestBackendRows::infinite_cuts_need_no_score() {
    QFETCH(std::string, name);
    const auto b = host_backend(name);
    RouteCase c(*b, DType::F32);
    c.x[3 * RouteCase::kWidth] = std::nanf("");
    const RoutingPoint point{&c.routers[0], nullptr, 4};
    const std::vector<int> rows{3, 5, 3, 3};
    const std::vector<RoutingCut> cuts{{INFINITY}, {-INFINITY}, {-INFINITY}, {-1e30f}};
    std::vector<float> scores(4), y(4 * RouteCase::kWidth);
    b->route({{&point, 1}, rows, cuts, 4, 1}, c.x.data(), RouteCase::kWidth, y.data(), scores);
    QVERIFY(std::isnan(scores[0]) && std::isfinite(scores[1]) && std::isnan(scores[2]) && std::isnan(scores[3]));
    QCOMPARE(y[1], c.x[5 * RouteCase::kWidth + 1]);
    QCOMPARE(y[RouteCase::kWidth + 1], c.x[3 * RouteCase::kWidth + 1]);
    QCOMPARE(y[2 * RouteCase::kWidth + 1], 0.0f);
}

void TestBackendRows::pick() {
    QFETCH(std::string, name);
    const auto b = host_backend(name);
    const bool few = is_cuda(name) && !exhaustive();
    for (const int vocab : {1, 13, 128, 8192, 8193, 20000}) {
        if (few && vocab > 8193) continue;
        for (const int n : {1, 3}) {
            std::mt19937 random(static_cast<unsigned>(vocab));
            auto logits = reference::random_floats(random, static_cast<std::size_t>(n) * vocab, 8);
            for (float& l : logits) l = std::round(l * 4) / 4;  // many ties
            for (const int k : {-1, 0, 1, 5, 40, vocab, vocab + 7}) {
                if (few && k > 128) continue;
                std::vector<int> wanted{vocab - 1, -1, vocab / 2};
                wanted.resize(k % 2 == 0 ? 0 : static_cast<std::size_t>(n));
                const std::vector<Pick> picks = b->pick(logits.data(), n, vocab, k, wanted);
                QCOMPARE(picks.size(), static_cast<std::size_t>(n));
                for (int r = 0; r < n; ++r) {
                    const float* row = logits.data() + static_cast<std::ptrdiff_t>(r) * vocab;
                    std::vector<int> order = iota(vocab);
                    std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return row[i] > row[j]; });
                    const Pick& p = picks[static_cast<std::size_t>(r)];
                    QCOMPARE(static_cast<int>(p.top.size()), std::clamp(k, 0, vocab));
                    if (r < static_cast<int>(wanted.size()) && r != 1)
                        QCOMPARE(p.wanted, row[wanted[static_cast<std::size_t>(r)]]);
                    else
                        QVERIFY(std::isnan(p.wanted));
                    for (std::size_t i = 0; i < p.top.size(); ++i) {
                        QCOMPARE(p.top[i].first, order[i]);
                        QCOMPARE(p.top[i].second, row[order[i]]);
                    }
                    double sum = 0;
                    for (int i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(row[i]) - row[order[0]]);
                    errors_.check("pick", name, DType::F32,
                                  reference::error(&p.log_sum_exp, {row[order[0]] + std::log(sum)}), 1e-6);
                }
            }
        }
    }
}

void TestBackendRows::pick_of_extremes() {
    QFETCH(std::string, name);
    const auto b = host_backend(name);
    std::vector<float> logits(100, -3e38f);
    logits[7] = 3e38f;
    auto p = b->pick(logits.data(), 1, 100, 2)[0];
    QCOMPARE(p.log_sum_exp, 3e38f);
    QCOMPARE(p.top[0].first, 7);
    QCOMPARE(p.top[1].first, 0);

    logits.assign(100, -INFINITY);
    logits[99] = 1.5f;
    QCOMPARE(b->pick(logits.data(), 1, 100, 1)[0].log_sum_exp, 1.5f);

    logits.assign(100, std::nanf(""));
    logits[40] = -5;
    p = b->pick(logits.data(), 1, 100, 3)[0];
    QCOMPARE(p.top[0].first, 40);
    QCOMPARE(p.top[1].first, 0);
    QCOMPARE(p.top[2].first, 1);
}

MOR_BACKEND_TEST_MAIN(TestBackendRows)
#include "tst_backend_rows.moc"
