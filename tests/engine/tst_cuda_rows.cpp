// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include "engine/backends.hpp"
#include "engine/cuda_operations.hpp"

using namespace mor;
using namespace cuda_test;

Q_DECLARE_METATYPE(mor::DType)

namespace {

std::string name_of(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

std::size_t size(int rows, int width) { return static_cast<std::size_t>(rows) * width; }

/// n different rows of `total`, in no order.
std::vector<int> some_rows(int n, int total) {
    std::vector<int> rows(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) rows[static_cast<std::size_t>(i)] = (i * 7 + 3) % total;
    return rows;
}

constexpr int kWidths[] = {1, 3, 4, 7, 8, 16, 33, 130, 576, 1028};
constexpr std::size_t kShifts[] = {0, 1, 2, 4};  ///< floats behind a boundary: only 0 and 4 allow vectors

}  // namespace

/// Rows moved by index: what is copied is copied bit for bit, and nothing else changes.
class TestCudaRows : public QObject {
    Q_OBJECT

private:
    TestDevice device_;

private slots:
    void embed_data() {
        QTest::addColumn<DType>("type");
        for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t).c_str()) << t;
    }
    void embed();
    void gather();
    void combine();
    void special_values();
    void more_rows_than_a_grid_has();
    void cleanupTestCase() { QVERIFY2(device_.intact(), "an operation wrote behind its output"); }
};

void TestCudaRows::embed() {
    QFETCH(DType, type);
    Context c = device_.context();
    std::mt19937 random(3);
    for (const int width : kWidths) {
        const int vocab = 23, total = 41;
        const Weights table(device_, random, type, vocab, width);
        for (const std::size_t shift : kShifts) {
            for (const int n : {0, 1, 2, 41}) {
                const auto rows = some_rows(n, total);
                std::vector<int> ids;
                for (int i = 0; i < n; ++i) ids.push_back((i * 17 + 22) % vocab);
                const auto x = device_.put(std::vector<float>(size(total, width), 42.0f), shift);
                const auto ids_there = device_.put(ids), rows_there = device_.put(rows);
                cuda::embed(c, table.matrix(), ids_there.data(), rows_there.data(), n, x.data());
                std::vector<float> expected(size(total, width), 42.0f);
                for (std::size_t i = 0; i < rows.size(); ++i)
                    for (int k = 0; k < width; ++k)
                        expected[size(rows[i], width) + static_cast<std::size_t>(k)] =
                            static_cast<float>(table.host.values[size(ids[i], width) + static_cast<std::size_t>(k)]);
                QVERIFY2(device_.get(x) == expected, qPrintable(QString("%1 rows of %2").arg(n).arg(width)));
            }
        }
    }
}

void TestCudaRows::gather() {
    Context c = device_.context();
    std::mt19937 random(5);
    for (const int width : kWidths) {
        const int total = 41;
        const auto x = reference::random_floats(random, size(total, width));
        for (const std::size_t shift : kShifts) {
            for (const int n : {0, 1, 2, 41}) {
                const auto rows = some_rows(n, total);
                const auto x_there = device_.put(x, shift), y = device_.put(std::vector<float>(size(n, width)), shift);
                const auto rows_there = device_.put(rows);
                cuda::gather(c, x_there.data(), rows_there.data(), n, width, y.data());
                std::vector<float> expected;
                for (const int r : rows)
                    expected.insert(expected.end(), x.begin() + r * width, x.begin() + (r + 1) * width);
                QVERIFY2(device_.get(y) == expected, qPrintable(QString("%1 rows of %2").arg(n).arg(width)));
            }
        }
    }
}

void TestCudaRows::combine() {
    Context c = device_.context();
    std::mt19937 random(9);
    for (const int width : kWidths) {
        const int total = 41;
        const auto x = reference::random_floats(random, size(total, width));
        for (const std::size_t shift : kShifts) {
            for (const int n : {0, 1, 2, 41}) {
                const auto rows = some_rows(n, total);
                const auto y = reference::random_floats(random, size(n, width));
                const auto gates = reference::random_floats(random, static_cast<std::size_t>(n));
                const auto rows_there = device_.put(rows);
                const auto y_there = device_.put(y, shift), gates_there = device_.put(gates);
                for (const bool gated : {false, true}) {
                    const auto x_there = device_.put(x, shift);
                    cuda::combine(c, y_there.data(), rows_there.data(), gated ? gates_there.data() : nullptr, n, width,
                                  x_there.data());
                    auto expected = x;
                    for (std::size_t i = 0; i < rows.size(); ++i) {
                        for (std::size_t k = 0; k < static_cast<std::size_t>(width); ++k) {
                            float& target = expected[size(rows[i], width) + k];
                            const float value = y[i * static_cast<std::size_t>(width) + k];
                            target = gated ? std::fma(gates[i], value, target) : value;
                        }
                    }
                    QVERIFY2(device_.get(x_there) == expected, qPrintable(QString("%1 rows of %2").arg(n).arg(width)));
                }
            }
        }
    }
}

/// Infinities, denormals and NaN are moved as they are.
void TestCudaRows::special_values() {
    Context c = device_.context();
    const std::vector<float> x{INFINITY, -INFINITY, 1e-42f, -0.0f, std::nanf("7"), 3e38f, -1e-45f, 0};
    const auto x_there = device_.put(x), y = device_.put(std::vector<float>(8));
    const auto rows = device_.put(std::vector<int>{1, 0});
    cuda::gather(c, x_there.data(), rows.data(), 2, 4, y.data());
    cuda::combine(c, y.data(), rows.data(), nullptr, 2, 4, x_there.data());  // back where they came from
    const auto got = device_.get(x_there);
    QCOMPARE(std::memcmp(got.data(), x.data(), x.size() * sizeof(float)), 0);
}

/// A grid has 65,535 rows; further ones are taken in turns. Eight million threads, so only when everything is run.
void TestCudaRows::more_rows_than_a_grid_has() {
    if (!mor::testing::exhaustive()) QSKIP("takes long on the CPU; MOR_TEST_EVERYTHING=1 runs it");
    Context c = device_.context();
    const int n = 65535 + 3;
    std::vector<float> x(n);
    std::vector<int> rows(n);
    for (int i = 0; i < n; ++i) {
        x[static_cast<std::size_t>(i)] = static_cast<float>(i);
        rows[static_cast<std::size_t>(i)] = n - 1 - i;
    }
    const auto x_there = device_.put(x), y = device_.put(std::vector<float>(x.size()));
    const auto rows_there = device_.put(rows);
    cuda::gather(c, x_there.data(), rows_there.data(), n, 1, y.data());
    const auto got = device_.get(y);
    QVERIFY(std::equal(got.begin(), got.end(), x.rbegin()));
}

QTEST_APPLESS_MAIN(TestCudaRows)
#include "tst_cuda_rows.moc"
