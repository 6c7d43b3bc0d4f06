// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <filesystem>
#include <map>
#include <numeric>

#include "backend/backend.hpp"
#include "engine/backend_reference.hpp"
#include "mor/error.hpp"

using namespace mor;
using reference::Doubles;
using reference::Stored;

Q_DECLARE_METATYPE(mor::DType)

namespace {

const std::vector<DType> kTypes{DType::F32, DType::F16, DType::BF16};

std::string type_name(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

/// A layer of odd or even sizes with random weights in one type.
struct Layer {
    LayerShape shape;
    LayerWeights weights;
    std::vector<float> attention_norm, ffn_norm, cos, sin;
    Stored qkv, out, gate_up, down;
    std::vector<std::shared_ptr<const Vector>> tables;

    Layer(Backend& backend, LayerShape s, DType type, int context) : shape(s) {
        std::mt19937 random(7);
        const std::size_t h = s.hidden, d = s.head_dim, q = s.heads * d, kv = s.kv_heads * d, f = s.ffn;
        const auto weight = [&](std::size_t rows, std::size_t in) {
            return Stored(reference::random_floats(random, rows * in, 1 / std::sqrt(static_cast<float>(in))), type);
        };
        attention_norm = reference::random_floats(random, h);
        ffn_norm = reference::random_floats(random, h);
        qkv = weight(q + 2 * kv, h);
        out = weight(h, q);
        gate_up = weight(2 * f, h);
        down = weight(h, f);
        for (std::size_t p = 0; p < static_cast<std::size_t>(context); ++p) {
            for (std::size_t j = 0; j < d / 2; ++j) {
                const double angle =
                    static_cast<double>(p) * std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(d));
                cos.push_back(static_cast<float>(std::cos(angle)));
                sin.push_back(static_cast<float>(std::sin(angle)));
            }
        }
        tables = {backend.vector(cos), backend.vector(sin)};
        shape.rope_cos = tables[0].get();
        shape.rope_sin = tables[1].get();
        weights.attention_norm = backend.vector(attention_norm);
        weights.ffn_norm = backend.vector(ffn_norm);
        weights.qkv = stacked(backend, qkv, {q, kv, kv}, h);
        weights.out = stacked(backend, out, {h}, q);
        weights.gate_up = stacked(backend, gate_up, {f, f}, h);
        weights.down = stacked(backend, down, {h}, f);
    }

    static std::shared_ptr<const Matrix> stacked(Backend& backend, const Stored& s, const std::vector<std::size_t>& rows,
                                                 std::size_t in) {
        std::vector<TensorView> blocks;
        const std::byte* data = s.data();
        for (const std::size_t r : rows) {
            blocks.push_back({s.dtype, {static_cast<std::int64_t>(r), static_cast<std::int64_t>(in)}, data});
            data += blocks.back().bytes();
        }
        return backend.matrix(blocks);
    }
};

/// Blocks of one sequence for one layer behind `offset` bytes of something else.
struct KvBlocks {
    LayerShape shape;
    std::int64_t offset = 192;
    std::vector<std::vector<std::byte>> storage;
    std::vector<std::byte*> table;

    KvBlocks(const LayerShape& s, int entries) : shape(s) {
        const std::size_t bytes =
            offset + 2 * static_cast<std::size_t>(s.kv_heads) * s.block_entries * s.head_dim * bytes_of(s.kv_type);
        const int count = (entries + s.block_entries - 1) / s.block_entries;
        for (int b = 0; b < count; ++b) storage.emplace_back(bytes + 64, std::byte{0xff});  // NaN in every type
        for (auto& block : storage) table.push_back(block.data());
        std::reverse(table.begin(), table.end());
    }

    std::byte* at(int entry, int head, bool value) const {
        const std::int64_t n = shape.block_entries;
        const std::int64_t row = (value ? shape.kv_heads * n : 0) + head * n + entry % n;
        return table[static_cast<std::size_t>(entry / n)] + offset + row * shape.head_dim * bytes_of(shape.kv_type);
    }
    double read(int entry, int head, bool value, int j) const {
        std::uint32_t bits = 0;
        std::memcpy(&bits, at(entry, head, value) + j * bytes_of(shape.kv_type),
                    static_cast<std::size_t>(bytes_of(shape.kv_type)));
        if (shape.kv_type == DType::F32) return std::bit_cast<float>(bits);
        const auto half = static_cast<std::uint16_t>(bits);
        return shape.kv_type == DType::F16 ? f16_to_f32(half) : bf16_to_f32(half);
    }
    void fill(std::mt19937& random, int entries) {
        for (int e = 0; e < entries; ++e) {
            for (int h = 0; h < 2 * shape.kv_heads; ++h) {
                const Stored s(reference::random_floats(random, static_cast<std::size_t>(shape.head_dim)), shape.kv_type);
                std::memcpy(at(e, h % shape.kv_heads, h >= shape.kv_heads), s.data(), s.bytes.size() - 1);
            }
        }
    }
};

LayerShape shape_of(int hidden, int heads, int kv_heads, int head_dim, int ffn, DType kv_type, int block_entries) {
    LayerShape s;
    s.hidden = hidden;
    s.heads = heads;
    s.kv_heads = kv_heads;
    s.head_dim = head_dim;
    s.ffn = ffn;
    s.norm_eps = 1e-5f;
    s.kv_type = kv_type;
    s.block_entries = block_entries;
    return s;
}

std::vector<LayerShape> layer_shapes() {
    return {shape_of(33, 3, 1, 10, 37, DType::F32, 16), shape_of(64, 4, 2, 16, 128, DType::F16, 5),
            shape_of(96, 6, 6, 16, 70, DType::BF16, 1), shape_of(192, 3, 1, 64, 300, DType::F32, 32),
            shape_of(1, 1, 1, 2, 1, DType::F16, 7)};
}

std::vector<int> iota(int n) {
    std::vector<int> v(static_cast<std::size_t>(n));
    std::iota(v.begin(), v.end(), 0);
    return v;
}

std::string thread_count() {
    return std::to_string(
        std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

}  // namespace

class TestBackend : public QObject {
    Q_OBJECT

private:
    std::map<std::string, std::map<std::string, double>> errors_;  ///< operation -> "isa dtype" -> largest

    static std::shared_ptr<Backend> backend(const QString& isa, int threads = 2, DType compute = DType::F32) {
        DeviceSettings settings;
        settings.threads = threads;
        settings.cpu_isa = isa.toStdString();
        settings.compute = compute;
        return make_cpu_backend(settings);
    }

    /// Notes the error for the table at the end and compares it with a bound.
    void check(const char* operation, const QString& isa, DType type, double error, double bound) {
        double& worst = errors_[operation][isa.toStdString() + " " + type_name(type)];
        worst = std::max(worst, error);
        QVERIFY2(error <= bound, qPrintable(QString("%1: error %2, allowed %3").arg(operation).arg(error).arg(bound)));
    }

    static void isa_and_type() {
        QTest::addColumn<QString>("isa");
        QTest::addColumn<DType>("type");
        for (const std::string& isa : cpu_isas()) {
            for (const DType t : kTypes)
                QTest::newRow((isa + " " + type_name(t)).c_str()) << QString::fromStdString(isa) << t;
        }
    }

private slots:
    void attn_in_data() { isa_and_type(); }
    void attn_in();
    void attention_data() { isa_and_type(); }
    void attention();
    void attention_does_not_depend_on_neighbours();
    void linear_add_data() { isa_and_type(); }
    void linear_add();
    void ffn_in_data() { isa_and_type(); }
    void ffn_in();
    void head_data() { isa_and_type(); }
    void head();
    void embed_data() { isa_and_type(); }
    void embed();
    void gather_and_combine();
    void router_data() { isa_and_type(); }
    void router();
    void router_is_the_same_everywhere();
    void pick_data();
    void pick();
    void pick_of_extremes();
    void bf16_compute_data();
    void bf16_compute();
    void threads_change_nothing_data() { isa_and_type(); }
    void threads_change_nothing();
    void library_starts_no_threads();
    void settings_are_checked();
    void matrices_are_checked();
    void cleanupTestCase();
};

void TestBackend::attn_in() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
    for (const LayerShape& s : layer_shapes()) {
        const Layer layer(*b, s, type, 200);
        const int d = s.head_dim, q_width = s.heads * d, width = q_width + 2 * s.kv_heads * d;
        struct Split {
            int n, q_rows, kv_begin;
        };
        for (const Split c : {Split{1, 1, 0},
                              {2, 2, 0},
                              {3, 3, 0},
                              {4, 0, 0},
                              {5, 3, 2},
                              {7, 7, 0},
                              {16, 16, 16},
                              {33, 20, 10},
                              {129, 129, 0}}) {
            std::mt19937 random(static_cast<unsigned>(c.n));
            const auto x = reference::random_floats(random, static_cast<std::size_t>(c.n) * s.hidden, 3);
            KvBlocks blocks(s, c.n + 3);
            std::vector<KvRow> kv;
            for (int i = 0; i < c.n; ++i) {
                const int write = i >= c.kv_begin && i % 4 != 3 ? i + 2 : -1;
                kv.push_back({blocks.table.data(), blocks.offset, i + 40, i + 3, write});
            }
            std::vector<float> q(static_cast<std::size_t>(c.q_rows) * q_width + 1, 42.0f);
            b->attn_in(layer.weights, layer.shape, x.data(), kv, c.q_rows, c.kv_begin, q.data());
            QCOMPARE(q.back(), 42.0f);

            Doubles y = reference::product(reference::rms_norm(reference::doubles(x), layer.attention_norm, s.norm_eps),
                                           layer.qkv.values, c.n, s.hidden, width);
            Doubles expected_q, stored, expected_kv;
            std::vector<float> got_kv;
            for (int i = 0; i < c.n; ++i) {
                double* const row = y.data() + static_cast<std::ptrdiff_t>(i) * width;
                const std::size_t angle = static_cast<std::size_t>(kv[static_cast<std::size_t>(i)].position) * (d / 2);
                for (int h = 0; h < s.heads + s.kv_heads; ++h)
                    reference::rotate(row + h * d, d, &layer.cos[angle], &layer.sin[angle]);
                if (i < c.q_rows) expected_q.insert(expected_q.end(), row, row + q_width);
                const int write = kv[static_cast<std::size_t>(i)].write;
                if (write < 0) {
                    // An entry nobody wrote keeps its bytes.
                    for (int j = 0; j < d; ++j) QVERIFY(std::isnan(blocks.read(i + 2, 0, false, j)));
                    continue;
                }
                expected_kv.insert(expected_kv.end(), row + q_width, row + width);
                for (int h = 0; h < 2 * s.kv_heads; ++h) {
                    for (int j = 0; j < d; ++j) {
                        got_kv.push_back(static_cast<float>(blocks.read(write, h % s.kv_heads, h >= s.kv_heads, j)));
                    }
                }
            }
            check("attn_in q", isa, type, reference::error(q.data(), expected_q), 3e-6);
            const double rounding = s.kv_type == DType::F32 ? 3e-6 : s.kv_type == DType::F16 ? 6e-4 : 5e-3;
            check(("attn_in kv " + type_name(s.kv_type)).c_str(), isa, type, reference::error(got_kv.data(), expected_kv),
                  rounding);
        }
    }
}

void TestBackend::attention() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
    for (LayerShape s : layer_shapes()) {
        s.kv_type = type;
        const int d = s.head_dim, group = s.heads / s.kv_heads, width = s.heads * d;
        for (const int n : {1, 2, 3, 4, 5, 7, 16, 33, 129}) {
            for (const int before : {0, 30, 600}) {
                if (before > 100 && n > 16) continue;  // the plain composition would take long
                std::mt19937 random(static_cast<unsigned>(n + before));
                // Two sequences; the second one's rows see little.
                KvBlocks one(s, n + before), two(s, 9);
                one.fill(random, n + before);
                two.fill(random, 9);
                std::vector<KvRow> kv;
                for (int i = 0; i < n; ++i) kv.push_back({one.table.data(), one.offset, i, before + i + 1, -1});
                kv.push_back({two.table.data(), two.offset, 0, 9, -1});
                kv.push_back({two.table.data(), two.offset, 0, 3, -1});
                const auto q = reference::random_floats(random, kv.size() * width, 2);
                std::vector<float> out(q.size());
                b->attention(s, q.data(), kv, out.data());

                Doubles expected;
                for (std::size_t i = 0; i < kv.size(); ++i) {
                    const KvBlocks& blocks = kv[i].blocks == one.table.data() ? one : two;
                    for (int h = 0; h < s.heads; ++h) {
                        Doubles k, v, query;
                        for (int e = 0; e < kv[i].visible; ++e) {
                            for (int j = 0; j < d; ++j) k.push_back(blocks.read(e, h / group, false, j));
                            for (int j = 0; j < d; ++j) v.push_back(blocks.read(e, h / group, true, j));
                        }
                        for (int j = 0; j < d; ++j) query.push_back(q[i * width + h * d + j]);
                        const Doubles o = reference::attend(query.data(), k, v, kv[i].visible, d);
                        expected.insert(expected.end(), o.begin(), o.end());
                    }
                }
                check("attention", isa, type, reference::error(out.data(), expected), 5e-6);
            }
        }
    }
}

void TestBackend::attention_does_not_depend_on_neighbours() {
    for (const std::string& isa : cpu_isas()) {
        const auto b = backend(QString::fromStdString(isa));
        const LayerShape s = shape_of(64, 6, 2, 24, 1, DType::BF16, 16);
        const int n = 40, before = 900, width = s.heads * s.head_dim;
        std::mt19937 random(3);
        KvBlocks blocks(s, n + before);
        blocks.fill(random, n + before);
        std::vector<KvRow> kv;
        for (int i = 0; i < n; ++i) kv.push_back({blocks.table.data(), blocks.offset, i, before + i + 1, -1});
        const auto q = reference::random_floats(random, static_cast<std::size_t>(n) * width);
        std::vector<float> together(q.size()), alone(q.size());
        b->attention(s, q.data(), kv, together.data());
        for (int i = 0; i < n; ++i) {
            b->attention(s, q.data() + i * width, std::span(kv).subspan(static_cast<std::size_t>(i), 1),
                         alone.data() + i * width);
        }
        QVERIFY2(together == alone, isa.c_str());
    }
}

void TestBackend::linear_add() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa, 3);
    struct Size {
        int in, out;
    };
    for (const Size size : {Size{1, 1}, {33, 7}, {64, 64}, {256, 300}, {577, 131}, {48, 1025}}) {
        std::mt19937 random(5);
        const Stored w(reference::random_floats(random, static_cast<std::size_t>(size.in) * size.out), type);
        const auto matrix = Layer::stacked(*b, w, {static_cast<std::size_t>(size.out)}, static_cast<std::size_t>(size.in));
        for (const int n : {1, 2, 3, 4, 5, 7, 16, 33, 129, 300}) {
            const auto a = reference::random_floats(random, static_cast<std::size_t>(n) * size.in);
            auto x = reference::random_floats(random, static_cast<std::size_t>(n) * size.out);
            Doubles expected = reference::product(reference::doubles(a), w.values, n, size.in, size.out);
            for (std::size_t i = 0; i < x.size(); ++i) expected[i] += x[i];
            b->linear_add(*matrix, a.data(), n, x.data());
            check("linear_add", isa, type, reference::error(x.data(), expected), 2e-6);
        }
    }
}

void TestBackend::ffn_in() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
    for (const LayerShape& s : layer_shapes()) {
        const Layer layer(*b, s, type, 1);
        for (const int n : {1, 2, 3, 4, 5, 7, 16, 33, 129, 300}) {
            std::mt19937 random(static_cast<unsigned>(n));
            const auto x = reference::random_floats(random, static_cast<std::size_t>(n) * s.hidden, 4);
            std::vector<float> h(static_cast<std::size_t>(n) * s.ffn);
            b->ffn_in(layer.weights, layer.shape, x.data(), n, h.data());
            const Doubles y = reference::product(reference::rms_norm(reference::doubles(x), layer.ffn_norm, s.norm_eps),
                                                 layer.gate_up.values, n, s.hidden, 2 * s.ffn);
            Doubles expected;
            for (int r = 0; r < n; ++r) {
                for (int j = 0; j < s.ffn; ++j) {
                    const std::size_t at = static_cast<std::size_t>(r) * 2 * s.ffn + j;
                    expected.push_back(reference::silu(y[at]) * y[at + s.ffn]);
                }
            }
            check("ffn_in", isa, type, reference::error(h.data(), expected), 3e-6);
        }
    }
}

void TestBackend::head() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
    std::mt19937 random(11);
    const int width = 65, vocab = 517, rows_total = 20;
    const Stored w(reference::random_floats(random, static_cast<std::size_t>(width) * vocab), type);
    const auto matrix = Layer::stacked(*b, w, {static_cast<std::size_t>(vocab)}, width);
    const auto norm = reference::random_floats(random, width);
    const auto x = reference::random_floats(random, static_cast<std::size_t>(rows_total) * width);
    const auto weight = b->vector(norm);
    for (const std::vector<int>& rows : {std::vector<int>{19}, {3, 3}, {0, 5, 2, 17, 1, 6}, std::vector<int>{}}) {
        Doubles picked;
        for (const int r : rows) {
            for (int k = 0; k < width; ++k) picked.push_back(x[static_cast<std::size_t>(r) * width + k]);
        }
        const int n = static_cast<int>(rows.size());
        std::vector<float> logits(static_cast<std::size_t>(n) * vocab);
        b->head(*weight, 1e-6f, *matrix, x.data(), rows, logits.data());
        const Doubles expected = reference::product(reference::rms_norm(picked, norm, 1e-6f), w.values, n, width, vocab);
        check("head", isa, type, reference::error(logits.data(), expected), 2e-6);
    }
}

void TestBackend::embed() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
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

void TestBackend::gather_and_combine() {
    for (const std::string& isa : cpu_isas()) {
        const auto b = backend(QString::fromStdString(isa));
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
        check("combine", QString::fromStdString(isa), DType::F32, reference::error(added.data(), expected_added), 1e-6);
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

void TestBackend::router() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    const auto b = backend(isa);
    for (const bool mlp : {false, true}) {
        const RouterCase c(*b, type, mlp);
        for (const std::vector<int>& rows : {std::vector<int>{5}, {0, 39, 4}, iota(RouterCase::kRows)}) {
            std::vector<float> out(rows.size() * RouterCase::kOutputs);
            b->router(c.weights, c.x.data(), rows, 0.7f, out.data());
            check(mlp ? "router mlp" : "router", isa, type, reference::error(out.data(), c.expected(rows, 0.7f)), 2e-6);
        }
    }
}

void TestBackend::router_is_the_same_everywhere() {
    for (const DType type : kTypes) {
        for (const bool mlp : {false, true}) {
            std::vector<float> first;
            for (const std::string& isa : cpu_isas()) {
                for (const int threads : {1, 3}) {
                    const auto b = backend(QString::fromStdString(isa), threads);
                    const RouterCase c(*b, type, mlp);
                    std::vector<float> all(RouterCase::kRows * RouterCase::kOutputs), single(all.size());
                    b->router(c.weights, c.x.data(), iota(RouterCase::kRows), 1.25f, all.data());
                    for (int r = 0; r < RouterCase::kRows; ++r) {
                        b->router(c.weights, c.x.data(), std::vector<int>{r}, 1.25f,
                                  single.data() + r * RouterCase::kOutputs);
                    }
                    QVERIFY(all == single);
                    if (first.empty()) first = all;
                    QVERIFY(all == first);
                }
            }
        }
    }
}

void TestBackend::pick_data() {
    QTest::addColumn<QString>("isa");
    for (const std::string& isa : cpu_isas()) QTest::newRow(isa.c_str()) << QString::fromStdString(isa);
}

void TestBackend::pick() {
    QFETCH(QString, isa);
    const auto b = backend(isa);
    for (const int vocab : {1, 13, 128, 8192, 8193, 20000}) {
        for (const int n : {1, 3}) {
            std::mt19937 random(static_cast<unsigned>(vocab));
            auto logits = reference::random_floats(random, static_cast<std::size_t>(n) * vocab, 8);
            for (float& l : logits) l = std::round(l * 4) / 4;  // many ties
            for (const int k : {-1, 0, 1, 5, 40, vocab, vocab + 7}) {
                const std::vector<Pick> picks = b->pick(logits.data(), n, vocab, k);
                QCOMPARE(picks.size(), static_cast<std::size_t>(n));
                for (int r = 0; r < n; ++r) {
                    const float* row = logits.data() + static_cast<std::ptrdiff_t>(r) * vocab;
                    std::vector<int> order = iota(vocab);
                    std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return row[i] > row[j]; });
                    const Pick& p = picks[static_cast<std::size_t>(r)];
                    QCOMPARE(static_cast<int>(p.top.size()), std::clamp(k, 0, vocab));
                    for (std::size_t i = 0; i < p.top.size(); ++i) {
                        QCOMPARE(p.top[i].first, order[i]);
                        QCOMPARE(p.top[i].second, row[order[i]]);
                    }
                    double sum = 0;
                    for (int i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(row[i]) - row[order[0]]);
                    check("pick", isa, DType::F32, reference::error(&p.log_sum_exp, {row[order[0]] + std::log(sum)}), 1e-6);
                }
            }
        }
    }
}

void TestBackend::pick_of_extremes() {
    const auto b = backend("auto");
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

void TestBackend::bf16_compute_data() {
    QTest::addColumn<QString>("isa");
    for (const std::string& isa : cpu_isas()) QTest::newRow(isa.c_str()) << QString::fromStdString(isa);
}

/// Several rows: activations rounded to bfloat16 meet bfloat16 weights; everything else stays as it was.
void TestBackend::bf16_compute() {
    QFETCH(QString, isa);
    const auto b = backend(isa, 2, DType::BF16);
    const auto exact = backend(isa, 2, DType::F32);
    const int in = 300, out = 260;
    for (const DType type : kTypes) {
        std::mt19937 random(23);
        const Stored w(reference::random_floats(random, in * out), type);
        const auto matrix = Layer::stacked(*b, w, {out}, in);
        for (const int n : {1, 4, 5, 16, 17, 300}) {
            const auto a = reference::random_floats(random, static_cast<std::size_t>(n) * in);
            const auto before = reference::random_floats(random, static_cast<std::size_t>(n) * out);
            auto x = before, unrounded = before;
            b->linear_add(*matrix, a.data(), n, x.data());
            exact->linear_add(*matrix, a.data(), n, unrounded.data());
            if (n <= 4 || type != DType::BF16) {
                QVERIFY(x == unrounded);
                continue;
            }
            QVERIFY(x != unrounded);
            Doubles expected = reference::product(Stored(a, DType::BF16).values, w.values, n, in, out);
            for (std::size_t i = 0; i < x.size(); ++i) expected[i] += before[i];
            check("linear_add, compute bf16", isa, type, reference::error(x.data(), expected), 3e-6);
        }
    }
}

/// A layer, the head and the picks with 1, 2 and 3 threads give the same bits.
void TestBackend::threads_change_nothing() {
    QFETCH(QString, isa);
    QFETCH(DType, type);
    for (const DType compute : {DType::F32, DType::BF16}) {
        for (const int n : {1, 3, 16, 40, 270}) {
            std::vector<float> first;
            for (const int threads : {1, 2, 3}) {
                const auto b = backend(isa, threads, compute);
                const LayerShape s = shape_of(200, 6, 2, 32, 300, type, 16);
                const Layer layer(*b, s, type, 600);
                std::mt19937 random(29);
                auto x = reference::random_floats(random, static_cast<std::size_t>(n) * s.hidden);
                const int before = 300;
                KvBlocks blocks(s, before + n);
                blocks.fill(random, before);
                std::vector<KvRow> kv;
                for (int i = 0; i < n; ++i)
                    kv.push_back({blocks.table.data(), blocks.offset, before + i, before + i + 1, before + i});
                std::vector<float> q(static_cast<std::size_t>(n) * 192), o(q.size()),
                    h(static_cast<std::size_t>(n) * s.ffn);
                b->attn_in(layer.weights, layer.shape, x.data(), kv, n, 0, q.data());
                b->attention(layer.shape, q.data(), kv, o.data());
                b->linear_add(*layer.weights.out, o.data(), n, x.data());
                b->ffn_in(layer.weights, layer.shape, x.data(), n, h.data());
                b->linear_add(*layer.weights.down, h.data(), n, x.data());
                std::vector<float> logits(static_cast<std::size_t>(n) * 2 * s.ffn);
                b->head(*layer.weights.ffn_norm, 1e-5f, *layer.weights.gate_up, x.data(), iota(n), logits.data());
                x.insert(x.end(), logits.begin(), logits.end());
                for (const Pick& p : b->pick(logits.data(), n, 2 * s.ffn, 3)) x.push_back(p.log_sum_exp);
                for (const float v : x) QVERIFY(std::isfinite(v));
                if (first.empty()) first = x;
                QVERIFY2(x == first, qPrintable(QString("%1 rows, %2 threads").arg(n).arg(threads)));
            }
        }
    }
}

void TestBackend::library_starts_no_threads() {
    const auto b = backend("auto", 2);
    const std::string before = thread_count();
    std::mt19937 random(31);
    const Stored w(reference::random_floats(random, 512 * 512), DType::F32);
    const auto matrix = Layer::stacked(*b, w, {512}, 512);
    std::vector<float> a(300 * 512), x(300 * 512);
    for (int i = 0; i < 5; ++i) b->linear_add(*matrix, a.data(), 300, x.data());
    QCOMPARE(thread_count(), before);
}

void TestBackend::settings_are_checked() {
    QCOMPARE(QString::fromStdString(cpu_isas().back()), QString("generic"));
    DeviceSettings settings;
    settings.cpu_isa = "mmx";
    QVERIFY_EXCEPTION_THROWN(make_cpu_backend(settings), Error);
    settings.cpu_isa = "auto";
    for (const int threads : {-1, 100000}) {
        settings.threads = threads;
        QVERIFY_EXCEPTION_THROWN(make_cpu_backend(settings), Error);
    }
    settings.threads = 2;
    settings.compute = DType::F16;
    QVERIFY_EXCEPTION_THROWN(make_cpu_backend(settings), Error);
    settings.compute = DType::F32;
    const std::string expected = "CPU · " + cpu_isas().front() + " · 2 threads";
    QCOMPARE(make_cpu_backend(settings)->description(), expected);
}

void TestBackend::matrices_are_checked() {
    const auto b = backend("auto", 1);
    const std::vector<std::byte> bytes(64);
    const TensorView good{DType::F32, {2, 3}, bytes.data()}, wide{DType::F32, {2, 4}, bytes.data()};
    const TensorView half{DType::F16, {2, 3}, bytes.data()}, flat{DType::F32, {6}, bytes.data()};
    QCOMPARE(b->matrix(std::vector{good, good})->out, 4);
    QVERIFY_EXCEPTION_THROWN(b->matrix(std::vector{good, wide}), Error);
    QVERIFY_EXCEPTION_THROWN(b->matrix(std::vector{good, half}), Error);
    QVERIFY_EXCEPTION_THROWN(b->matrix(std::vector{flat}), Error);
    QVERIFY_EXCEPTION_THROWN(b->matrix({}), Error);
    QCOMPARE(reinterpret_cast<std::uintptr_t>(b->allocate(1).get()) % 64, std::uintptr_t{0});
}

void TestBackend::cleanupTestCase() {
    std::printf("largest error relative to the largest value\n");
    for (const auto& [operation, by_case] : errors_) {
        for (const auto& [name, error] : by_case)
            std::printf("  %-26s %-14s %.1e\n", operation.c_str(), name.c_str(), error);
    }
}

QTEST_APPLESS_MAIN(TestBackend)
#include "tst_backend.moc"
