// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <bit>
#include <map>

#include "engine/cuda_operations.hpp"

using namespace mor;
using namespace cuda_test;
using reference::Doubles;

Q_DECLARE_METATYPE(mor::DType)

namespace {

constexpr float kEps = 1e-5f;
constexpr int kContext = 200;

std::string name_of(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

std::size_t size(int rows, int width) { return static_cast<std::size_t>(rows) * width; }

struct Shape {
    int hidden, heads, kv_heads, head_dim;
    DType kv_type;
    int block_entries;

    int q_width() const { return heads * head_dim; }
    int width() const { return q_width() + 2 * kv_heads * head_dim; }
};

/// Rows, and which of them want q and which store K/V.
struct Split {
    int n, q_rows, kv_begin;
};

/// One sequence's blocks for one layer behind `offset` bytes of something else; every byte 0xff (NaN in every type).
class Blocks {
public:
    Blocks(TestDevice& device, const Shape& s, int entries, std::int64_t offset)
        : shape_(s),
          offset_(offset),
          block_bytes_(static_cast<std::size_t>(offset) +
                       size(2 * s.kv_heads * s.block_entries, s.head_dim) * bytes_of(s.kv_type)),
          count_((entries + s.block_entries - 1) / s.block_entries),
          memory_(device.put(std::vector<std::byte>(block_bytes_ * count_, std::byte{0xff}))) {
        std::vector<std::byte*> table;
        for (std::size_t b = count_; b-- > 0;) table.push_back(memory_.data() + b * block_bytes_);  // not in order
        table_ = device.put(table);
    }
    std::byte* const* table() const { return table_.data(); }

    void download(TestDevice& device) { bytes_ = device.get(memory_); }

    /// Of K (value false) or V at an entry.
    double read(int entry, int head, bool value, int j) const {
        const int row = (value ? shape_.kv_heads + head : head) * shape_.block_entries + entry % shape_.block_entries;
        const std::size_t block = count_ - 1 - static_cast<std::size_t>(entry / shape_.block_entries);
        const std::size_t at = block * block_bytes_ + static_cast<std::size_t>(offset_) +
                               (size(row, shape_.head_dim) + static_cast<std::size_t>(j)) * bytes_of(shape_.kv_type);
        std::uint32_t bits = 0;
        std::memcpy(&bits, bytes_.data() + at, static_cast<std::size_t>(bytes_of(shape_.kv_type)));
        const auto half = static_cast<std::uint16_t>(bits);
        return shape_.kv_type == DType::F32   ? std::bit_cast<float>(bits)
               : shape_.kv_type == DType::F16 ? f16_to_f32(half)
                                              : bf16_to_f32(half);
    }

    /// Bytes that are not 0xff any more.
    std::ptrdiff_t written() const {
        return std::ssize(bytes_) - std::count(bytes_.begin(), bytes_.end(), std::byte{0xff});
    }

private:
    Shape shape_;
    std::int64_t offset_;
    std::size_t block_bytes_, count_;
    DeviceArray<std::byte> memory_;
    DeviceArray<std::byte*> table_;
    std::vector<std::byte> bytes_;
};

}  // namespace

/// Norm, QKV, rotation and the K/V write on the device against loops in double precision.
class TestCudaAttnIn : public QObject {
    Q_OBJECT

private:
    TestDevice device_;
    std::vector<float> cos_, sin_;
    std::map<std::string, std::map<std::string, double>> errors_;  ///< output -> types and number of rows -> largest

    void note(const std::string& output, const std::string& which, double error, double bound) {
        double& worst = errors_[output][which];
        worst = std::max(worst, error);
        QVERIFY2(
            error <= bound,
            qPrintable(QString("%1, %2: error %3, allowed %4").arg(output.c_str(), which.c_str()).arg(error).arg(bound)));
    }

    void tables(int head_dim) {
        cos_.clear();
        sin_.clear();
        for (int p = 0; p < kContext; ++p) {
            for (int j = 0; j < head_dim / 2; ++j) {
                const double angle = p * std::pow(10000.0, -2.0 * j / head_dim);
                cos_.push_back(static_cast<float>(std::cos(angle)));
                sin_.push_back(static_cast<float>(std::sin(angle)));
            }
        }
    }
    void run(const Shape&, const Weights&, const Split&, DType compute);

private slots:
    void rows_data();
    void rows();
    void compute_bf16();
    void one_sequence_each();
    void cleanupTestCase();
};

void TestCudaAttnIn::run(const Shape& s, const Weights& w, const Split& c, DType compute) {
    std::mt19937 random(static_cast<unsigned>(c.n));
    const auto x = reference::random_floats(random, size(c.n, s.hidden), 3);
    const auto norm = reference::random_floats(random, static_cast<std::size_t>(s.hidden));
    const auto x_there = device_.put(x), norm_there = device_.put(norm), cos = device_.put(cos_), sin = device_.put(sin_);
    const auto q_there = device_.put(std::vector<float>(size(c.q_rows, s.q_width()) + 1, 42.0f));
    Blocks blocks(device_, s, c.n + 3, 192);
    std::vector<DeviceKvRow> rows;
    std::vector<std::int64_t> offsets;
    for (int i = 0; i < c.n; ++i) {
        const int write = i >= c.kv_begin && i % 4 != 3 ? i + 2 : -1;
        rows.push_back({blocks.table(), i + 40, i + 3, write, 0});
        offsets.push_back(192);
    }
    const auto rows_there = device_.put(rows);
    const auto offsets_there = device_.put(offsets);
    const bool one_offset = c.n % 2 == 0;
    const DeviceKv kv{rows_there.data(), one_offset ? nullptr : offsets_there.data(), one_offset ? 192 : -1, c.n, c.n + 3};
    const AttentionShape shape{s.heads, s.kv_heads, s.head_dim, s.kv_type, s.block_entries, cos.data(), sin.data()};
    Context context = device_.context(compute);
    cuda::attn_in(context, shape, w.matrix(), norm_there.data(), kEps, x_there.data(), kv, c.q_rows, c.kv_begin,
                  q_there.data());
    auto q = device_.get(q_there);
    QCOMPARE(q.back(), 42.0f);
    blocks.download(device_);

    Doubles y =
        reference::product(reference::rms_norm(reference::doubles(x), norm, kEps), w.host.values, c.n, s.hidden, s.width());
    Doubles expected_q, expected_kv;
    std::vector<float> stored;
    const int d = s.head_dim;
    for (int i = 0; i < c.n; ++i) {
        const auto& place = rows[static_cast<std::size_t>(i)];
        double* const row = y.data() + size(i, s.width());
        const std::size_t angle = size(place.position, d / 2);
        for (int h = 0; h < s.heads + s.kv_heads; ++h) reference::rotate(row + h * d, d, &cos_[angle], &sin_[angle]);
        if (i < c.q_rows) expected_q.insert(expected_q.end(), row, row + s.q_width());
        if (place.write < 0) continue;
        for (int e = 0; e < 2 * s.kv_heads * d; ++e) {
            const int head = e / d;
            expected_kv.push_back(row[s.q_width() + e]);
            stored.push_back(static_cast<float>(blocks.read(place.write, head % s.kv_heads, head >= s.kv_heads, e % d)));
        }
    }
    const std::string rows_text = c.n <= 8 ? ", 1..8 rows" : c.n <= 32 ? ", 9..32 rows" : ", more rows";
    const std::string which = name_of(w.host.dtype) + (compute == DType::BF16 ? ", compute bf16" : "") + rows_text;
    const bool rounds = compute == DType::BF16 && w.host.dtype == DType::BF16 && c.n > 8;
    const double bound = rounds ? 2e-2 : 5e-6;
    const double steps = s.kv_type == DType::F32 ? 0 : s.kv_type == DType::F16 ? 0x1p-11 : 0x1p-8;
    note("q", which, reference::error(q.data(), expected_q), bound);
    note("K/V in " + name_of(s.kv_type), which, reference::error(stored.data(), expected_kv), bound + steps);
    // Nothing but the entries of rows that write was touched. A byte may be 0xff by chance, so this bounds one side.
    QVERIFY(blocks.written() <= std::ssize(stored) * bytes_of(s.kv_type));
}

void TestCudaAttnIn::rows_data() {
    QTest::addColumn<DType>("type");
    for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t).c_str()) << t;
}

void TestCudaAttnIn::rows() {
    QFETCH(DType, type);
    for (const Shape& s : {Shape{33, 3, 1, 10, DType::F32, 16},
                           {64, 4, 2, 16, DType::F16, 5},
                           {96, 6, 6, 16, DType::BF16, 1},
                           {192, 3, 1, 64, DType::F32, 32},
                           {1, 1, 1, 2, DType::F16, 7},
                           {576, 9, 3, 64, DType::BF16, 16}}) {
        tables(s.head_dim);
        std::mt19937 random(static_cast<unsigned>(s.hidden));
        const Weights w(device_, random, type, s.width(), s.hidden);
        for (const Split& c : {Split{1, 1, 0},
                               {2, 2, 0},
                               {3, 3, 0},
                               {4, 0, 0},
                               {5, 3, 2},
                               {7, 7, 0},
                               {8, 8, 8},
                               {9, 9, 0},
                               {16, 16, 16},
                               {17, 0, 3},
                               {33, 20, 10},
                               {40, 0, 0},
                               {64, 64, 0},
                               {65, 65, 65}}) {
            if (s.hidden > 200 && c.n > 9) continue;
            run(s, w, c, DType::F32);
        }
    }
}

void TestCudaAttnIn::compute_bf16() {
    const Shape s{96, 6, 2, 16, DType::F32, 16};
    tables(s.head_dim);
    for (const DType type : {DType::F32, DType::BF16}) {
        std::mt19937 random(17);
        const Weights w(device_, random, type, s.width(), s.hidden);
        for (const Split& c : {Split{1, 1, 0}, {8, 8, 0}, {9, 9, 0}, {33, 20, 10}}) run(s, w, c, DType::BF16);
    }
}

/// Rows of different sequences, each with blocks, an offset and a position of its own, get what they get alone.
void TestCudaAttnIn::one_sequence_each() {
    const Shape s{40, 4, 2, 8, DType::F32, 4};
    tables(s.head_dim);
    std::mt19937 random(19);
    const Weights w(device_, random, DType::F16, s.width(), s.hidden);
    const auto norm = device_.put(reference::random_floats(random, static_cast<std::size_t>(s.hidden)));
    const auto cos = device_.put(cos_), sin = device_.put(sin_);
    const AttentionShape shape{s.heads, s.kv_heads, s.head_dim, s.kv_type, s.block_entries, cos.data(), sin.data()};
    const int n = 6;
    const auto x = device_.put(reference::random_floats(random, size(n, s.hidden)));
    const auto q = device_.put(std::vector<float>(size(n, s.q_width()))),
               q_alone = device_.put(std::vector<float>(s.q_width()));
    std::vector<std::unique_ptr<Blocks>> together, alone;
    std::vector<DeviceKvRow> rows, rows_alone;
    std::vector<std::int64_t> offsets;
    for (int i = 0; i < n; ++i) {
        offsets.push_back(64 * i);
        for (auto* list : {&together, &alone}) list->push_back(std::make_unique<Blocks>(device_, s, 12, offsets.back()));
        rows.push_back({together.back()->table(), 30 * i, i + 1, 2 * i, 0});
        rows_alone.push_back({alone.back()->table(), 30 * i, i + 1, 2 * i, 0});
    }
    const auto rows_there = device_.put(rows), alone_there = device_.put(rows_alone);
    const auto offsets_there = device_.put(offsets);
    Context c = device_.context();
    cuda::attn_in(c, shape, w.matrix(), norm.data(), kEps, x.data(), {rows_there.data(), offsets_there.data(), 0, n, n}, n,
                  0, q.data());
    const auto all = device_.get(q);
    for (int i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const DeviceKv kv{alone_there.data() + i, nullptr, offsets[at], 1, n};
        cuda::attn_in(c, shape, w.matrix(), norm.data(), kEps, x.data() + size(i, s.hidden), kv, 1, 0, q_alone.data());
        const auto one = device_.get(q_alone);
        QVERIFY(std::equal(one.begin(), one.end(), all.begin() + i * s.q_width()));
        together[at]->download(device_);
        alone[at]->download(device_);
        for (int e = 0; e < 12; ++e) {
            for (int j = 0; j < s.head_dim; ++j) {
                const double a = together[at]->read(e, 1, j % 2 == 0, j), b = alone[at]->read(e, 1, j % 2 == 0, j);
                QCOMPARE(std::isnan(a), e != 2 * i);
                QVERIFY(a == b || std::isnan(a));
            }
        }
    }
}

void TestCudaAttnIn::cleanupTestCase() {
    QVERIFY2(device_.intact(), "an operation wrote behind its output");
    std::printf("largest error relative to the largest value, on %s\n", device_.info().name.c_str());
    for (const auto& [output, by_case] : errors_) {
        for (const auto& [which, error] : by_case)
            std::printf("  attn_in %-12s %-36s %.1e\n", output.c_str(), which.c_str(), error);
    }
}

QTEST_APPLESS_MAIN(TestCudaAttnIn)
#include "tst_cuda_attn_in.moc"
