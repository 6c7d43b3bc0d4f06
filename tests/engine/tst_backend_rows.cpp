// SPDX-License-Identifier: Apache-2.0
// Moving rows, routers and picks against plain compositions, on every backend.
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
    void several_routing_points_at_once_data() { backend_column(); }
    void several_routing_points_at_once();
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

void run_router(Backend& b, const RouterWeights& weights, const std::vector<float>& x, const std::vector<int>& rows,
                float scale, float* outputs) {
    const RoutingPoint point{&weights, rows, scale, outputs};
    b.route({&point, 1}, x.data());
}

}  // namespace

void TestBackendRows::router() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
    for (const bool mlp : {false, true}) {
        const RouterCase c(*b, type, mlp);
        for (const std::vector<int>& rows : {std::vector<int>{5}, {0, 39, 4}, iota(RouterCase::kRows)}) {
            std::vector<float> out(rows.size() * RouterCase::kOutputs);
            run_router(*b, c.weights, c.x, rows, 0.7f, out.data());
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
                    run_router(*b, c.weights, c.x, iota(RouterCase::kRows), 1.25f, all.data());
                    for (int r = 0; r < RouterCase::kRows; ++r) {
                        run_router(*b, c.weights, c.x, {r}, 1.25f, single.data() + r * RouterCase::kOutputs);
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

/// Bit for bit as one by one: linear and MLP routers of several widths, other scales, rows twice, no row. A state that is
/// not a number spoils its own outputs and no others.
void TestBackendRows::several_routing_points_at_once() {
    QFETCH(std::string, name);
    const auto b = host_backend(name);
    std::mt19937 random(31);
    for (const DType type : kTypes) {
        const RouterCase linear(*b, type, false), mlp(*b, type, true);
        std::vector<float> x = linear.x;
        x[3 * RouterCase::kWidth] = std::nanf("");
        for (const std::vector<int>& sizes : {std::vector{1}, {2, 1}, {20, 0, 13}, {40, 7, 80}, {0}, {0, 0}}) {
            if (sizes.size() == 3 && sizes[2] == 80 && type != DType::F32 && is_cuda(name) && !exhaustive()) continue;
            std::vector<std::vector<int>> rows(sizes.size());
            std::vector<std::vector<float>> together(sizes.size()), alone(sizes.size());
            std::vector<RoutingPoint> points;
            for (std::size_t p = 0; p < sizes.size(); ++p) {
                for (int i = 0; i < sizes[p]; ++i) rows[p].push_back(static_cast<int>(random() % RouterCase::kRows));
                together[p].assign(rows[p].size() * RouterCase::kOutputs, 42.0f);
                alone[p] = together[p];
                const RouterWeights& weights = p % 2 ? mlp.weights : linear.weights;
                const float scale = p == 2 ? 1.0f : 0.7f;
                points.push_back({&weights, rows[p], scale, together[p].data()});
                run_router(*b, weights, x, rows[p], scale, alone[p].data());
            }
            b->route(points, x.data());
            for (std::size_t p = 0; p < sizes.size(); ++p) {
                for (std::size_t i = 0; i < together[p].size(); ++i) {
                    QCOMPARE(std::isnan(together[p][i]), rows[p][i / RouterCase::kOutputs] == 3);
                    QVERIFY(std::isnan(together[p][i]) || together[p][i] == alone[p][i]);
                }
            }
        }
    }
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
