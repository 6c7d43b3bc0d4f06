// SPDX-License-Identifier: Apache-2.0
// The operations of a layer against plain compositions in double precision, on every backend.
#include <filesystem>

#include "engine/backend_layer.hpp"
#include "mor/error.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::string thread_count() {
    return std::to_string(
        std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

}  // namespace

class TestBackend : public QObject {
    Q_OBJECT

private:
    ErrorTable errors_;

private slots:
    void attn_in_data() { backend_and_type(); }
    void attn_in();
    void attention_data() { backend_and_type(); }
    void attention();
    void attention_does_not_depend_on_neighbours();
    void linear_add_data() { backend_and_type(); }
    void linear_add();
    void ffn_in_data() { backend_and_type(); }
    void ffn_in();
    void head_data() { backend_and_type(); }
    void head();
    void bf16_compute_data() { backend_column(); }
    void bf16_compute();
    void threads_change_nothing_data() { backend_and_type(); }
    void threads_change_nothing();
    void library_starts_no_threads();
    void settings_are_checked();
    void matrices_are_checked_data() { backend_column(); }
    void matrices_are_checked();
    void every_operation_ran_on_every_backend() {
        if (QCoreApplication::arguments().size() == 1)
            errors_.require({"attn_in q", "attention", "linear_add", "ffn_in", "head"});
    }
    void cleanupTestCase() { errors_.print(); }
};

void TestBackend::attn_in() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
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
            errors_.check("attn_in q", name, type, reference::error(q.data(), expected_q), 3e-6);
            const double rounding = s.kv_type == DType::F32 ? 3e-6 : s.kv_type == DType::F16 ? 6e-4 : 5e-3;
            errors_.check("attn_in kv " + type_name(s.kv_type), name, type, reference::error(got_kv.data(), expected_kv),
                          rounding);
        }
    }
}

void TestBackend::attention() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
    for (LayerShape s : layer_shapes()) {
        s.kv_type = type;
        const int d = s.head_dim, group = s.heads / s.kv_heads, width = s.heads * d;
        for (const int n : row_counts(name, {1, 2, 3, 4, 5, 7, 16, 33, 129})) {
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
                errors_.check("attention", name, type, reference::error(out.data(), expected), 5e-6);
            }
        }
    }
}

void TestBackend::attention_does_not_depend_on_neighbours() {
    for (const std::string& name : backend_names()) {
        const auto b = host_backend(name);
        const LayerShape s = shape_of(64, 6, 2, 24, 1, DType::BF16, 16);
        const int n = is_cuda(name) && !exhaustive() ? 9 : 40, before = 900, width = s.heads * s.head_dim;
        std::mt19937 random(3);
        KvBlocks blocks(s, n + before);
        blocks.fill(random, n + before);
        std::vector<KvRow> kv;
        for (int i = 0; i < n; ++i) kv.push_back({blocks.table.data(), blocks.offset, i, before + i + 1, -1});
        const auto q = reference::random_floats(random, static_cast<std::size_t>(n) * width);
        const auto by = [&](int rows) {  // so many at a time
            std::vector<float> out(q.size());
            for (int i = 0; i < n; i += rows) {
                const auto part =
                    std::span(kv).subspan(static_cast<std::size_t>(i), static_cast<std::size_t>(std::min(rows, n - i)));
                b->attention(s, q.data() + i * width, part, out.data() + i * width);
            }
            return out;
        };
        const std::vector<float> together = by(n), alone = by(1);
        // Few queries and many have kernels of their own, which round differently.
        QVERIFY(reference::error(together.data(), reference::doubles(alone)) <= 5e-6);
        if (is_cuda(name)) continue;
        for (const int rows : {2, 4}) QVERIFY2(by(rows) == alone, name.c_str());
        for (const int rows : {10, 20}) QVERIFY2(by(rows) == together, name.c_str());
    }
}

void TestBackend::linear_add() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name, 3);
    struct Size {
        int in, out;
    };
    for (const Size size : {Size{1, 1}, {33, 7}, {64, 64}, {256, 300}, {577, 131}, {48, 1025}}) {
        std::mt19937 random(5);
        const Stored w(reference::random_floats(random, static_cast<std::size_t>(size.in) * size.out), type);
        const auto matrix = Layer::stacked(*b, w, {static_cast<std::size_t>(size.out)}, static_cast<std::size_t>(size.in));
        for (const int n : row_counts(name, {1, 2, 3, 4, 5, 7, 16, 33, 129, 300})) {
            const auto a = reference::random_floats(random, static_cast<std::size_t>(n) * size.in);
            auto x = reference::random_floats(random, static_cast<std::size_t>(n) * size.out);
            Doubles expected = reference::product(reference::doubles(a), w.values, n, size.in, size.out);
            for (std::size_t i = 0; i < x.size(); ++i) expected[i] += x[i];
            b->linear_add(*matrix, a.data(), n, x.data());
            errors_.check("linear_add", name, type, reference::error(x.data(), expected), 2e-6);
        }
    }
}

void TestBackend::ffn_in() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
    for (const LayerShape& s : layer_shapes()) {
        const Layer layer(*b, s, type, 1);
        for (const int n : row_counts(name, {1, 2, 3, 4, 5, 7, 16, 33, 129, 300})) {
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
            errors_.check("ffn_in", name, type, reference::error(h.data(), expected), 3e-6);
        }
    }
}

void TestBackend::head() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    const auto b = host_backend(name);
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
        errors_.check("head", name, type, reference::error(logits.data(), expected), 2e-6);
    }
}

/// Several rows: activations rounded to bfloat16 meet bfloat16 weights; everything else stays as it was.
void TestBackend::bf16_compute() {
    QFETCH(std::string, name);
    const auto b = host_backend(name, 2, DType::BF16);
    const auto exact = host_backend(name, 2, DType::F32);
    const int in = 300, out = 260;
    for (const DType type : kTypes) {
        std::mt19937 random(23);
        const Stored w(reference::random_floats(random, in * out), type);
        const auto matrix = Layer::stacked(*b, w, {out}, in);
        for (const int n : {1, 4, 5, 16, 17, 300}) {
            if (is_cuda(name) && n > 1 && n < 17) continue;  // where its own kernels end is its own business
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
            errors_.check("linear_add, compute bf16", name, type, reference::error(x.data(), expected), 3e-6);
        }
    }
}

/// A layer, the head and the picks with 1, 2 and 3 threads give the same bits, and so does the device twice.
void TestBackend::threads_change_nothing() {
    QFETCH(std::string, name);
    QFETCH(DType, type);
    for (const DType compute : {DType::F32, DType::BF16}) {
        for (const int n : is_cuda(name) && !exhaustive() ? std::vector{1, 40} : std::vector{1, 3, 16, 40, 270}) {
            std::vector<float> first;
            for (const int threads : is_cuda(name) ? std::vector{1, 1} : std::vector{1, 2, 3}) {
                const auto b = host_backend(name, threads, compute);
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
    const auto b = host_backend("cpu", 2);
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
    QFETCH(std::string, name);
    const auto b = host_backend(name, 1);
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

MOR_BACKEND_TEST_MAIN(TestBackend)
#include "tst_backend.moc"
