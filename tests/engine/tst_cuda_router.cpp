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

}  // namespace

/// Routers on the device against loops in double precision.
class TestCudaRouter : public QObject {
    Q_OBJECT

private:
    TestDevice device_;
    std::map<std::string, double> errors_;  ///< router and type -> largest

    std::vector<float> router(const DeviceRouter&, const std::vector<float>& x, const std::vector<int>& rows, float scale,
                              std::size_t shift);
    void check(DType, int in, int inner, int out, std::size_t shift);

private slots:
    void routers_data() {
        QTest::addColumn<DType>("type");
        for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t)) << t;
    }
    void routers();
    void special_values();
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

void TestCudaRouter::cleanupTestCase() {
    QVERIFY2(device_.intact(), "an operation wrote behind its output");
    std::printf("largest error relative to the largest value, on %s\n", device_.info().name.c_str());
    for (const auto& [which, error] : errors_) std::printf("  router %-14s %.1e\n", which.c_str(), error);
}

QTEST_APPLESS_MAIN(TestCudaRouter)
#include "tst_cuda_router.moc"
