// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <map>
#include <numeric>

#include "engine/cuda_operations.hpp"

using namespace mor;
using namespace cuda_test;
using reference::Doubles;

Q_DECLARE_METATYPE(mor::DType)

namespace {

constexpr float kEps = 1e-5f;

std::string name_of(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

std::size_t size(int rows, int width) { return static_cast<std::size_t>(rows) * width; }

/// Rows of `all` by index.
Doubles pick_rows(const std::vector<float>& all, const std::vector<int>& rows, int width) {
    Doubles picked;
    for (const int r : rows) {
        for (int k = 0; k < width; ++k) picked.push_back(all[size(r, width) + k]);
    }
    return picked;
}

Doubles rounded_to_bf16(const Doubles& x) {
    return reference::Stored(std::vector<float>(x.begin(), x.end()), DType::BF16).values;
}

}  // namespace

/// Products on the device against loops in double precision and against the CPU backend.
class TestCudaLinear : public QObject {
    Q_OBJECT

private:
    TestDevice device_;
    std::shared_ptr<Backend> cpu_;
    struct Errors {
        double loops = 0, cpu = 0;
    };
    std::map<std::string, std::map<std::string, Errors>> errors_;  ///< operation -> dtype and number of rows -> largest

    void note(const char* operation, const std::string& which, double loops, double cpu, double bound) {
        Errors& worst = errors_[operation][which];
        worst.loops = std::max(worst.loops, loops);
        worst.cpu = std::max(worst.cpu, cpu);
        QVERIFY2(loops <= bound && cpu <= bound,
                 qPrintable(QString("%1, %2: error %3 against loops, %4 against the CPU; %5 allowed")
                                .arg(operation, which.c_str())
                                .arg(loops)
                                .arg(cpu)
                                .arg(bound)));
    }

    static std::string case_name(DType type, int n) {
        return name_of(type) + (n <= 8 ? " 1..8 rows" : n <= 32 ? " 9..32 rows" : " more rows");
    }

    static void types() {
        QTest::addColumn<DType>("type");
        for (const DType t : {DType::F32, DType::F16, DType::BF16}) QTest::newRow(name_of(t).c_str()) << t;
    }

private slots:
    void initTestCase() {
        DeviceSettings settings;
        settings.threads = 1;
        cpu_ = make_cpu_backend(settings);
    }
    void linear_add_data() { types(); }
    void linear_add();
    void linear_with_norm_data() { types(); }
    void linear_with_norm();
    void ffn_in_data() { types(); }
    void ffn_in();
    void many_outputs_data() { types(); }
    void many_outputs();
    void unaligned_activations();
    void neighbours_change_nothing_data() { types(); }
    void neighbours_change_nothing();
    void compute_bf16();
    void no_rows();
    void cleanupTestCase();
};

void TestCudaLinear::linear_add() {
    QFETCH(DType, type);
    struct Size {
        int out, in;
    };
    // Vectors of eight need in % 8 == 0; more than 1,024 elements of eight rows, 8,192 of one, are staged in tiles.
    for (const Size s : {Size{1, 1},
                         {3, 7},
                         {33, 8},
                         {5, 33},
                         {70, 64},
                         {17, 100},
                         {9, 260},
                         {64, 576},
                         {6, 1544},
                         {3, 8200},
                         {2, 2053}}) {
        std::mt19937 random(static_cast<unsigned>(s.in));
        const Weights w(device_, random, type, s.out, s.in);
        const auto on_cpu = cpu_->matrix(std::vector{w.view()});
        for (const int n : {1, 2, 3, 4, 5, 7, 8, 9, 17, 32, 33, 64}) {
            if (n > 9 && s.in > 600) continue;
            const auto a = reference::random_floats(random, size(n, s.in));
            const auto before = reference::random_floats(random, size(n, s.out));
            const auto a_there = device_.put(a);
            const auto x_there = device_.put(before);
            Context c = device_.context();
            cuda::linear_add(c, w.matrix(), a_there.data(), n, x_there.data());
            Doubles expected = reference::product(reference::doubles(a), w.host.values, n, s.in, s.out);
            for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += before[i];
            auto on_host = before;
            cpu_->linear_add(*on_cpu, a.data(), n, on_host.data());
            const auto x = device_.get(x_there);
            note("linear_add", case_name(type, n), reference::error(x.data(), expected),
                 reference::error(x.data(), reference::doubles(on_host)), 2e-6);
        }
    }
}

void TestCudaLinear::linear_with_norm() {
    QFETCH(DType, type);
    struct Size {
        int out, in;
    };
    for (const Size s : {Size{1, 1}, {50, 33}, {61, 64}, {203, 104}, {40, 576}, {7, 1032}, {3, 8448}}) {
        std::mt19937 random(static_cast<unsigned>(s.out));
        const Weights w(device_, random, type, s.out, s.in);
        const auto norm = reference::random_floats(random, static_cast<std::size_t>(s.in));
        const auto norm_there = device_.put(norm);
        const auto cpu_matrix = cpu_->matrix(std::vector{w.view()});
        const auto cpu_norm = cpu_->vector(norm);
        const int all = 50;
        const auto x = reference::random_floats(random, size(all, s.in), 3);
        const auto x_there = device_.put(x);
        for (const int n : {1, 2, 3, 6, 8, 11, 35}) {
            if (n > 8 && s.in > 600) continue;
            std::vector<int> rows;
            for (int i = 0; i < n; ++i) rows.push_back((i * 7 + 13) % all);
            const auto rows_there = device_.put(rows);
            const auto y_there = device_.put(std::vector<float>(size(n, s.out)));
            Context c = device_.context();
            cuda::linear(c, w.matrix(), norm_there.data(), kEps, x_there.data(), rows_there.data(), n, y_there.data());
            const Doubles picked = pick_rows(x, rows, s.in);
            Doubles expected = reference::product(reference::rms_norm(picked, norm, kEps), w.host.values, n, s.in, s.out);
            std::vector<float> on_host(size(n, s.out));
            cpu_->head(*cpu_norm, kEps, *cpu_matrix, x.data(), rows, on_host.data());
            auto y = device_.get(y_there);
            note("linear, RMSNorm", case_name(type, n), reference::error(y.data(), expected),
                 reference::error(y.data(), reference::doubles(on_host)), 3e-6);

            cuda::linear(c, w.matrix(), nullptr, 0, x_there.data(), rows_there.data(), n, y_there.data());
            expected = reference::product(picked, w.host.values, n, s.in, s.out);
            y = device_.get(y_there);
            note("linear", case_name(type, n), reference::error(y.data(), expected), 0, 3e-6);
        }
    }
}

void TestCudaLinear::ffn_in() {
    QFETCH(DType, type);
    struct Size {
        int ffn, hidden;
    };
    for (const Size s : {Size{1, 1}, {3, 8}, {37, 33}, {128, 64}, {75, 192}, {6, 1032}}) {
        std::mt19937 random(static_cast<unsigned>(s.ffn));
        const Weights w(device_, random, type, 2 * s.ffn, s.hidden);
        const auto norm = reference::random_floats(random, static_cast<std::size_t>(s.hidden));
        const auto norm_there = device_.put(norm);
        LayerShape shape;
        shape.hidden = s.hidden;
        shape.ffn = s.ffn;
        shape.norm_eps = kEps;
        LayerWeights layer;
        layer.ffn_norm = cpu_->vector(norm);
        layer.gate_up = cpu_->matrix(std::vector{w.view()});
        for (const int n : {1, 2, 3, 7, 8, 9, 17, 40}) {
            const auto x = reference::random_floats(random, size(n, s.hidden), 3);
            const auto x_there = device_.put(x);
            const auto h_there = device_.put(std::vector<float>(size(n, s.ffn)));
            Context c = device_.context();
            cuda::ffn_in(c, w.matrix(), norm_there.data(), kEps, x_there.data(), n, h_there.data());
            const Doubles y = reference::product(reference::rms_norm(reference::doubles(x), norm, kEps), w.host.values, n,
                                                 s.hidden, 2 * s.ffn);
            Doubles expected;
            for (int r = 0; r < n; ++r) {
                for (int o = 0; o < s.ffn; ++o)
                    expected.push_back(reference::silu(y[size(r, 2 * s.ffn) + o]) * y[size(r, 2 * s.ffn) + s.ffn + o]);
            }
            std::vector<float> on_host(size(n, s.ffn));
            cpu_->ffn_in(layer, shape, x.data(), n, on_host.data());
            const auto h = device_.get(h_there);
            note("ffn_in", case_name(type, n), reference::error(h.data(), expected),
                 reference::error(h.data(), reference::doubles(on_host)), 5e-6);
        }
    }
}

/// Enough outputs for warps that take several at a time and blocks that come round again.
void TestCudaLinear::many_outputs() {
    QFETCH(DType, type);
    const int in = 24, out = device_.info().multiprocessors * 8 * 4 * 4 + 29;
    std::mt19937 random(3);
    const Weights w(device_, random, type, out, in);
    const auto norm = reference::random_floats(random, in);
    const auto norm_there = device_.put(norm);
    for (const int n : {1, 2, 4, 8}) {
        const auto x = reference::random_floats(random, size(n, in));
        const auto x_there = device_.put(x);
        const auto y_there = device_.put(std::vector<float>(size(n, out)));
        Context c = device_.context();
        cuda::linear(c, w.matrix(), norm_there.data(), kEps, x_there.data(), nullptr, n, y_there.data());
        const Doubles expected =
            reference::product(reference::rms_norm(reference::doubles(x), norm, kEps), w.host.values, n, in, out);
        const auto y = device_.get(y_there);
        note("linear, many outputs", case_name(type, n), reference::error(y.data(), expected), 0, 3e-6);
    }
}

/// Activations and norm that begin anywhere: 16-byte loads are not allowed there.
void TestCudaLinear::unaligned_activations() {
    const int in = 64, out = 19;
    std::mt19937 random(5);
    const Weights w(device_, random, DType::BF16, out, in);
    const auto norm = reference::random_floats(random, in);
    for (const std::size_t shift : {1, 2, 3}) {
        for (const int n : {1, 5, 40}) {
            const auto x = reference::random_floats(random, size(n, in));
            const auto x_there = device_.put(x, shift);
            const auto norm_there = device_.put(norm, shift == 3 ? 0 : shift);
            const auto y_there = device_.put(std::vector<float>(size(n, out)), shift);
            Context c = device_.context();
            cuda::linear(c, w.matrix(), norm_there.data(), kEps, x_there.data(), nullptr, n, y_there.data());
            const Doubles expected =
                reference::product(reference::rms_norm(reference::doubles(x), norm, kEps), w.host.values, n, in, out);
            const auto y = device_.get(y_there);
            note("linear, unaligned", case_name(DType::BF16, n), reference::error(y.data(), expected), 0, 3e-6);
        }
    }
}

/// Up to eight rows, a row computed alone and beside others gives the same bits.
void TestCudaLinear::neighbours_change_nothing() {
    QFETCH(DType, type);
    for (const int in : {576, 8200, 61}) {
        const int out = 21, n = 8;
        std::mt19937 random(7);
        const Weights w(device_, random, type, out, in);
        const auto norm_there = device_.put(reference::random_floats(random, static_cast<std::size_t>(in)));
        const auto x_there = device_.put(reference::random_floats(random, size(n, in)));
        const auto run = [&](int first, int count) {
            const auto y_there = device_.put(std::vector<float>(size(count, out)));
            Context c = device_.context();
            cuda::linear(c, w.matrix(), norm_there.data(), kEps, x_there.data() + size(first, in), nullptr, count,
                         y_there.data());
            return device_.get(y_there);
        };
        const auto all = run(0, n);
        for (const int count : {1, 2, 3, 5}) {
            for (int first = 0; first + count <= n; ++first) {
                const auto some = run(first, count);
                QVERIFY(std::equal(some.begin(), some.end(), all.begin() + static_cast<std::ptrdiff_t>(size(first, out))));
            }
        }
    }
}

/// Several rows with bfloat16 weights: activations are rounded to bfloat16, sums stay in float32. Few rows and other
/// weights are not affected.
void TestCudaLinear::compute_bf16() {
    const int in = 104, out = 70;
    for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
        std::mt19937 random(11);
        const Weights w(device_, random, type, out, in);
        const auto norm = reference::random_floats(random, in);
        const auto norm_there = device_.put(norm);
        for (const int n : {1, 8, 9, 40}) {
            const auto a = reference::random_floats(random, size(n, in));
            const auto a_there = device_.put(a);
            const auto exact_there = device_.put(std::vector<float>(size(n, out)));
            const auto x_there = device_.put(std::vector<float>(size(n, out)));
            Context exact = device_.context(DType::F32), c = device_.context(DType::BF16);
            cuda::linear_add(exact, w.matrix(), a_there.data(), n, exact_there.data());
            cuda::linear_add(c, w.matrix(), a_there.data(), n, x_there.data());
            const auto x = device_.get(x_there);
            const bool rounds = type == DType::BF16 && n > 8;
            QCOMPARE(x != device_.get(exact_there), rounds);
            if (!rounds) continue;
            const Doubles product = reference::product(rounded_to_bf16(reference::doubles(a)), w.host.values, n, in, out);
            note("linear_add, compute bf16", case_name(type, n), reference::error(x.data(), product), 0, 3e-6);

            // A sum that lies between two bfloat16 may be rounded to either.
            const auto y_there = device_.put(std::vector<float>(size(n, out)));
            cuda::linear(c, w.matrix(), norm_there.data(), kEps, a_there.data(), nullptr, n, y_there.data());
            const Doubles normed = rounded_to_bf16(reference::rms_norm(reference::doubles(a), norm, kEps));
            const auto y = device_.get(y_there);
            note("linear, RMSNorm, compute bf16", case_name(type, n),
                 reference::error(y.data(), reference::product(normed, w.host.values, n, in, out)), 0, 1e-3);
        }
    }
}

void TestCudaLinear::no_rows() {
    std::mt19937 random(13);
    const Weights w(device_, random, DType::F16, 4, 8);
    const std::vector<float> before{1, 2, 3, 4};
    const auto x_there = device_.put(before);
    Context c = device_.context();
    cuda::linear_add(c, w.matrix(), nullptr, 0, x_there.data());
    cuda::linear(c, w.matrix(), nullptr, 0, nullptr, nullptr, 0, x_there.data());
    cuda::ffn_in(c, w.matrix(), nullptr, 0, nullptr, 0, x_there.data());
    QVERIFY(device_.get(x_there) == before);
}

void TestCudaLinear::cleanupTestCase() {
    QVERIFY2(device_.intact(), "an operation wrote behind its output");
    std::printf("largest error relative to the largest value, on %s\n  %-32s %-18s %-10s %s\n", device_.info().name.c_str(),
                "", "", "loops", "CPU backend");
    for (const auto& [operation, by_case] : errors_) {
        for (const auto& [which, e] : by_case)
            std::printf("  %-32s %-18s %.1e    %.1e\n", operation.c_str(), which.c_str(), e.loops, e.cpu);
    }
}

QTEST_APPLESS_MAIN(TestCudaLinear)
#include "tst_cuda_linear.moc"
