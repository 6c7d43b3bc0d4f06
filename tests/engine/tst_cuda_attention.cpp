// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <map>

#include "engine/backends.hpp"
#include "engine/cuda_operations.hpp"
#include "mor/error.hpp"

using namespace mor;
using namespace cuda_test;
using reference::Doubles;

Q_DECLARE_METATYPE(mor::DType)

namespace {

std::string name_of(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

std::size_t size(int rows, int width) { return static_cast<std::size_t>(rows) * width; }

struct Shape {
    int heads, kv_heads, head_dim, block_entries;
};

/// One sequence's K and V for one layer, behind `offset` bytes of something else in every block. All bytes that are no
/// entry are 0xff, NaN in every type, so whoever reads behind the visible entries gets NaN.
class Cache {
public:
    Cache(TestDevice& device, std::mt19937& random, const Shape& s, DType type, int entries, std::int64_t offset,
          float spread = 1)
        : shape_(s), entries_(entries), offset_(offset) {
        const int n = s.block_entries, blocks = (entries + n - 1) / n, element = bytes_of(type);
        const std::size_t layer = size(2 * s.kv_heads * n, s.head_dim) * element;
        const std::size_t block = (static_cast<std::size_t>(offset) + layer + 255) / 256 * 256;
        std::vector<std::byte> bytes(block * blocks, std::byte{0xff});
        for (int e = 0; e < entries; ++e) {
            for (int h = 0; h < 2 * s.kv_heads; ++h) {
                const reference::Stored stored(
                    reference::random_floats(random, static_cast<std::size_t>(s.head_dim), spread), type);
                values_.insert(values_.end(), stored.values.begin(), stored.values.end());
                const std::size_t row = size(h * n + e % n, s.head_dim) * element;
                std::memcpy(bytes.data() + block_of(e) * block + offset + row, stored.data(), stored.bytes.size() - 1);
            }
        }
        memory_ = device.put(bytes);
        std::vector<std::byte*> table;
        for (int b = 0; b < blocks; ++b) table.push_back(memory_.data() + block_of(b * n) * block);
        table_ = device.put(table);
    }

    DeviceKvRow row(int visible) const { return {table_.data(), 0, visible, -1, 0}; }
    std::int64_t offset() const { return offset_; }

    /// Keys, or values, of the first `visible` entries of a K/V head.
    Doubles of(int head, bool value, int visible) const {
        Doubles all;
        for (int e = 0; e < visible; ++e) {
            const int row = e * 2 * shape_.kv_heads + (value ? shape_.kv_heads : 0) + head;
            const auto from = values_.begin() + static_cast<std::ptrdiff_t>(size(row, shape_.head_dim));
            all.insert(all.end(), from, from + shape_.head_dim);
        }
        return all;
    }

private:
    /// Blocks do not lie in the order of their entries.
    std::size_t block_of(int entry) const {
        const int n = shape_.block_entries, blocks = (entries_ + n - 1) / n;
        return static_cast<std::size_t>(blocks - 1 - entry / n);
    }

    Shape shape_;
    int entries_;
    std::int64_t offset_;
    Doubles values_;  ///< [entries, K then V heads, D]
    DeviceArray<std::byte> memory_;
    DeviceArray<std::byte*> table_;
};

/// float32 runs all shapes; of the others, unless everything is run, one of each way: elements one by one or in vectors,
/// groups in one chunk or several.
bool skipped(DType type, const Shape& s) {
    return type != DType::F32 && !mor::testing::exhaustive() && s.head_dim != 10 && s.head_dim != 16 && s.head_dim != 40;
}

struct Row {
    const Cache* cache;
    int visible;
};

}  // namespace

/// Attention on the device against loops in double precision: both kernels, with and without splits.
class TestCudaAttention : public QObject {
    Q_OBJECT

private:
    enum class Kernel { FewRows, ManyRows };

    TestDevice device_;
    std::map<std::string, double> errors_;  ///< kernel and type -> largest

    std::vector<float> run(const Shape&, DType, const std::vector<Row>&, const std::vector<float>& q, Kernel,
                           int multiprocessors);
    void check(const Shape&, DType, const std::vector<Row>&, Kernel, int multiprocessors, float spread = 2);
    static void types() {
        QTest::addColumn<DType>("type");
        for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t).c_str()) << t;
    }

private slots:
    void few_rows_data() { types(); }
    void few_rows();
    void many_rows_data() { types(); }
    void many_rows();
    void rows_of_several_sequences_data() { types(); }
    void rows_of_several_sequences();
    void few_rows_do_not_depend_on_neighbours();
    void large_scores_and_rows_that_see_nothing();
    void what_is_not_a_number_stays_in_its_head();
    void no_rows_and_too_wide_heads();
    void cleanupTestCase();
};

/// q and results lie at an odd float: neither kernel may want them aligned.
std::vector<float> TestCudaAttention::run(const Shape& s, DType type, const std::vector<Row>& rows,
                                          const std::vector<float>& q, Kernel kernel, int multiprocessors) {
    std::vector<DeviceKvRow> places;
    std::vector<std::int64_t> offsets;
    int longest = 0;
    for (const Row& r : rows) {
        places.push_back(r.cache->row(r.visible));
        offsets.push_back(r.cache->offset());
        longest = std::max(longest, r.visible);
    }
    const bool one = std::all_of(offsets.begin(), offsets.end(), [&](auto o) { return o == offsets[0]; });
    const int n = static_cast<int>(rows.size());
    const auto places_there = device_.put(places);
    const auto offsets_there = device_.put(offsets);
    const auto q_there = device_.put(q, 1), out = device_.put(std::vector<float>(q.size(), 42.0f), 1);
    // The number of tables decides which kernel runs.
    const DeviceKv kv{places_there.data(),
                      one ? nullptr : offsets_there.data(),
                      one ? offsets[0] : -1,
                      n,
                      longest,
                      kernel == Kernel::FewRows ? n : 1};
    DeviceInfo info = device_.info();
    info.multiprocessors = multiprocessors;
    Context made = device_.context();
    Context c{made.stream, made.blas, info, made.workspace, made.compute};
    cuda::attention(c, {s.heads, s.kv_heads, s.head_dim, type, s.block_entries, nullptr, nullptr}, q_there.data(), kv,
                    out.data());
    return device_.get(out);
}

void TestCudaAttention::check(const Shape& s, DType type, const std::vector<Row>& rows, Kernel kernel, int multiprocessors,
                              float spread) {
    std::mt19937 random(static_cast<unsigned>(rows.size()));
    const int d = s.head_dim, group = s.heads / s.kv_heads;
    const auto q = reference::random_floats(random, size(static_cast<int>(rows.size()), s.heads * d), spread);
    const auto out = run(s, type, rows, q, kernel, multiprocessors);
    Doubles expected;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (int h = 0; h < s.heads; ++h) {
            const auto begin = q.begin() + static_cast<std::ptrdiff_t>(i * size(s.heads, d) + size(h, d));
            const Doubles query(begin, begin + d);
            const Cache& cache = *rows[i].cache;
            const Doubles one = reference::attend(query.data(), cache.of(h / group, false, rows[i].visible),
                                                  cache.of(h / group, true, rows[i].visible), rows[i].visible, d);
            expected.insert(expected.end(), one.begin(), one.end());
        }
    }
    const double error = reference::error(out.data(), expected);
    double& worst = errors_[std::string(kernel == Kernel::FewRows ? "few rows, " : "many rows, ") + name_of(type)];
    worst = std::max(worst, error);
    QVERIFY2(error <= 5e-6, qPrintable(QString("%1 rows, %2 heads, %3 of K/V, D %4, %5 entries to a block: error %6")
                                           .arg(rows.size())
                                           .arg(s.heads)
                                           .arg(s.kv_heads)
                                           .arg(d)
                                           .arg(s.block_entries)
                                           .arg(error)));
}

/// Groups of 1 to 12 query heads, so that some are computed in chunks; odd and even widths up to 256; blocks of 1 to 64
/// entries; lengths around the span; one block, or many parts that are merged.
void TestCudaAttention::few_rows() {
    QFETCH(DType, type);
    for (const Shape& s : {Shape{1, 1, 2, 1},
                           {3, 1, 10, 7},
                           {4, 2, 16, 5},
                           {5, 5, 24, 16},
                           {8, 2, 64, 16},
                           {9, 3, 64, 64},
                           {12, 1, 40, 3},
                           {10, 2, 80, 16},
                           {2, 1, 128, 16},
                           {2, 2, 256, 16},
                           {3, 1, 255, 9}}) {
        if (skipped(type, s)) continue;
        std::mt19937 random(static_cast<unsigned>(s.head_dim));
        const Cache cache(device_, random, s, type, 260, 192);
        for (const std::vector<int>& visible : {std::vector{1}, {63, 2}, {64}, {65}, {129, 1, 260}}) {
            std::vector<Row> rows;
            for (const int v : visible) rows.push_back({&cache, v});
            check(s, type, rows, Kernel::FewRows, 1);
            if (visible[0] > 64) check(s, type, rows, Kernel::FewRows, 132);
        }
    }
}

void TestCudaAttention::many_rows() {
    QFETCH(DType, type);
    struct Case {
        Shape shape;
        int n, before;
    };
    for (const Case& c : {Case{{1, 1, 2, 1}, 9, 0},
                          {{3, 1, 10, 7}, 23, 30},
                          {{4, 2, 16, 5}, 17, 50},
                          {{6, 6, 24, 16}, 20, 3},
                          {{9, 3, 64, 64}, 10, 255},
                          {{12, 1, 40, 3}, 11, 5},
                          {{3, 1, 80, 16}, 12, 31},
                          {{2, 1, 128, 16}, 9, 50},
                          {{2, 2, 256, 16}, 9, 31},
                          {{3, 1, 255, 9}, 9, 33}}) {
        if (skipped(type, c.shape)) continue;
        std::mt19937 random(static_cast<unsigned>(c.shape.head_dim));
        const Cache cache(device_, random, c.shape, type, c.before + c.n, 64);
        std::vector<Row> rows;
        for (int i = 0; i < c.n; ++i) rows.push_back({&cache, c.before + i + 1});
        check(c.shape, type, rows, Kernel::ManyRows, 1);
        if (c.before + c.n > 256) check(c.shape, type, rows, Kernel::ManyRows, 132);
    }
}

/// Neighbours in a block with tables and offsets of their own, in runs of one and more, long and short.
void TestCudaAttention::rows_of_several_sequences() {
    QFETCH(DType, type);
    const Shape s{6, 2, 32, 4};
    std::mt19937 random(11);
    const Cache one(device_, random, s, type, 40, 0), two(device_, random, s, type, 270, 256),
        three(device_, random, s, type, 9, 64);
    std::vector<Row> rows;
    for (const int v : {37, 38, 39, 40}) rows.push_back({&one, v});
    for (const int v : {270, 7, 269}) rows.push_back({&two, v});
    rows.push_back({&three, 9});
    rows.push_back({&one, 1});
    for (const int v : {3, 2, 1, 9, 8}) rows.push_back({&three, v});
    for (const Kernel kernel : {Kernel::FewRows, Kernel::ManyRows})
        for (const int multiprocessors : {1, 132}) check(s, type, rows, kernel, multiprocessors);
}

/// With the same splits, a row gets the same bits alone and beside others.
void TestCudaAttention::few_rows_do_not_depend_on_neighbours() {
    const Shape s{6, 2, 32, 8};
    std::mt19937 random(13);
    const Cache cache(device_, random, s, DType::F16, 60, 0);
    const auto q = reference::random_floats(random, size(5, s.heads * s.head_dim), 2);
    std::vector<Row> rows;
    for (const int v : {60, 1, 33, 59, 60}) rows.push_back({&cache, v});
    const auto together = run(s, DType::F16, rows, q, Kernel::FewRows, 4);
    const std::size_t width = size(s.heads, s.head_dim);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::vector<float> mine(q.begin() + static_cast<std::ptrdiff_t>(i * width),
                                      q.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
        const auto alone = run(s, DType::F16, {rows[i]}, mine, Kernel::FewRows, 4);
        QVERIFY(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(i * width)));
    }
}

/// Scores far beyond what exp() can take select one entry; a row without visible entries gets zeros.
void TestCudaAttention::large_scores_and_rows_that_see_nothing() {
    const Shape s{2, 1, 16, 8};
    std::mt19937 random(17);
    const Cache cache(device_, random, s, DType::F32, 400, 0, 1e10f);
    for (const Kernel kernel : {Kernel::FewRows, Kernel::ManyRows}) {
        for (const int multiprocessors : {1, 132}) {
            std::vector<Row> rows;
            for (int i = 0; i < 9; ++i) rows.push_back({&cache, 400 - 40 * i});
            check(s, DType::F32, rows, kernel, multiprocessors, 1e10f);
            rows[4].visible = 0;
            const auto q = reference::random_floats(random, size(9, s.heads * s.head_dim));
            const auto out = run(s, DType::F32, rows, q, kernel, multiprocessors);
            for (std::size_t i = 0; i < out.size(); ++i) {
                const bool blind = i / size(s.heads, s.head_dim) == 4;
                QVERIFY(std::isfinite(out[i]) && (out[i] == 0) == blind);
            }
        }
    }
}

void TestCudaAttention::what_is_not_a_number_stays_in_its_head() {
    const Shape s{4, 2, 16, 8};
    std::mt19937 random(19);
    const Cache cache(device_, random, s, DType::F32, 70, 0);
    auto q = reference::random_floats(random, size(9, s.heads * s.head_dim));
    const std::size_t width = size(s.heads, s.head_dim), d = static_cast<std::size_t>(s.head_dim);
    q[3 * width + d + 5] = std::nanf("");  // row 3, head 1
    std::vector<Row> rows;
    for (int i = 0; i < 9; ++i) rows.push_back({&cache, 62 + i});
    for (const Kernel kernel : {Kernel::FewRows, Kernel::ManyRows}) {
        const auto out = run(s, DType::F32, rows, q, kernel, 1);
        for (std::size_t i = 0; i < out.size(); ++i)
            QVERIFY(std::isfinite(out[i]) || (i / width == 3 && i % width / d == 1));
    }
}

void TestCudaAttention::no_rows_and_too_wide_heads() {
    Context c = device_.context();
    cuda::attention(c, {4, 2, 16, DType::F32, 8, nullptr, nullptr}, nullptr, {}, nullptr);
    const DeviceKv one{nullptr, nullptr, 0, 1, 1, 1};
    QVERIFY_EXCEPTION_THROWN(cuda::attention(c, {4, 2, 258, DType::F32, 8, nullptr, nullptr}, nullptr, one, nullptr),
                             Error);
}

void TestCudaAttention::cleanupTestCase() {
    QVERIFY2(device_.intact(), "an operation wrote behind its output");
    std::printf("largest error relative to the largest value, on %s\n", device_.info().name.c_str());
    for (const auto& [which, error] : errors_) std::printf("  attention %-18s %.1e\n", which.c_str(), error);
}

QTEST_APPLESS_MAIN(TestCudaAttention)
#include "tst_cuda_attention.moc"
