// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "backend/cpu/isa.hpp"
#include "engine/backend_reference.hpp"

using mor::DType;
using mor::cpu::available_kernels;
using mor::cpu::Kernels;

namespace {

/// Distance in units of the last place of the correctly rounded result.
double ulps(float got, double exact) {
    const auto rounded = static_cast<float>(exact);
    if (got == rounded) return 0;
    if (!std::isfinite(rounded) || !std::isfinite(got)) return INFINITY;
    const double unit = std::nextafter(std::abs(rounded), INFINITY) - static_cast<double>(std::abs(rounded));
    return std::abs(got - exact) / unit;
}

}  // namespace

class TestKernels : public QObject {
    Q_OBJECT

private slots:
    void init() { QVERIFY(!available_kernels().empty()); }
    void exp();
    void conversions_match_the_scalar_ones();
    void tails_touch_nothing_else();
    void softmax();
    void products_do_not_depend_on_neighbours();
};

void TestKernels::exp() {
    std::vector<float> x{0.0f,     -0.0f, 1.0f,  INFINITY, -INFINITY, NAN,    88.7228f,
                         88.7229f, 89.5f, 1e30f, -1e30f,   -103.9f,   -104.1f};
    for (float v = -104; v < 89; v += 0.00037f) x.push_back(v);
    for (const Kernels* k : available_kernels()) {
        double worst = 0;
        std::vector<float> y(x.size());
        k->exp(x.data(), static_cast<int>(x.size()), y.data());
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (std::isnan(x[i])) {
                QVERIFY(std::isnan(y[i]));
            } else {
                const double error = ulps(y[i], std::exp(static_cast<double>(x[i])));
                QVERIFY2(error <= 2, qPrintable(QString("%1: exp(%2) = %3").arg(k->name).arg(x[i]).arg(y[i])));
                worst = std::max(worst, error);
            }
        }
        std::printf("exp, %s: largest error %.2f units in the last place\n", k->name, worst);
    }
}

void TestKernels::conversions_match_the_scalar_ones() {
    std::vector<std::uint16_t> all(65536);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
    std::mt19937 random(2);
    std::vector<float> wide(200001), rounded(wide.size());
    for (float& f : wide) f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    for (std::size_t i = 0; i < wide.size(); i += 2)
        wide[i] =
            std::bit_cast<float>(static_cast<std::uint32_t>((random() & 0x807fffffu) | ((100 + random() % 45) << 23)));
    for (const Kernels* k : available_kernels()) {
        for (const DType type : {DType::F16, DType::BF16}) {
            const auto widen = type == DType::F16 ? mor::f16_to_f32 : mor::bf16_to_f32;
            const auto narrow = type == DType::F16 ? mor::f32_to_f16 : mor::f32_to_bf16;
            std::vector<float> got(all.size());
            k->widen(all.data(), type, static_cast<std::ptrdiff_t>(all.size()), got.data());
            for (std::size_t i = 0; i < all.size(); ++i) {
                const float expected = widen(all[i]);
                if (std::isnan(expected)) {
                    QVERIFY(std::isnan(got[i]));
                } else {
                    QCOMPARE(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(expected));
                }
            }
            std::vector<std::uint16_t> bits(wide.size());
            k->narrow(wide.data(), type, static_cast<std::ptrdiff_t>(wide.size()), bits.data());
            k->round_to_bf16(wide.data(), static_cast<std::ptrdiff_t>(wide.size()), rounded.data());
            for (std::size_t i = 0; i < wide.size(); ++i) {
                if (std::isnan(wide[i])) {
                    QVERIFY(std::isnan(widen(bits[i])) && std::isnan(rounded[i]));
                } else {
                    QCOMPARE(bits[i], narrow(wide[i]));
                    QCOMPARE(rounded[i], mor::bf16_to_f32(mor::f32_to_bf16(wide[i])));
                }
            }
        }
    }
}

/// Whatever the length, nothing behind the last element changes.
void TestKernels::tails_touch_nothing_else() {
    std::mt19937 random(3);
    const auto x = reference::random_floats(random, 100), w = reference::random_floats(random, 100);
    for (const Kernels* k : available_kernels()) {
        for (int n = 1; n < 50; ++n) {
            const auto at = static_cast<std::size_t>(n);
            std::vector<float> y(100, 42);
            k->exp(x.data(), n, y.data());
            QCOMPARE(y[at], 42.0f);
            k->swiglu(x.data(), w.data(), n, y.data());
            QCOMPARE(y[at], 42.0f);
            k->rms_norm(x.data(), w.data(), n, 1e-5f, y.data());
            QCOMPARE(y[at], 42.0f);
            k->add_scaled(x.data(), 2, n, y.data());
            QCOMPARE(y[at], 42.0f);
            k->round_to_bf16(x.data(), n, y.data());
            QCOMPARE(y[at], 42.0f);
            k->product(x.data(), n, 1, w.data(), DType::F32, 1, n, y.data(), n, false);
            QCOMPARE(y[at], 42.0f);
            k->weighted_sum(x.data(), 1, 1, w.data(), DType::F32, n, 1, y.data(), n);
            QCOMPARE(y[at], 42.0f);
            float largest = 0;
            k->softmax(y.data(), n, 1.0f, &largest);
            QCOMPARE(y[at], 42.0f);
            QCOMPARE(k->largest(x.data(), n), *std::max_element(x.begin(), x.begin() + n));
        }
    }
}

void TestKernels::softmax() {
    std::mt19937 random(4);
    for (const Kernels* k : available_kernels()) {
        for (const int n : {1, 2, 15, 16, 17, 100, 256}) {
            for (const float spread : {0.1f, 10.0f, 1000.0f}) {
                auto s = reference::random_floats(random, static_cast<std::size_t>(n), spread);
                const auto scores = s;
                float top = 0, expected_top = *std::max_element(s.begin(), s.end()) * 0.125f;
                const float sum = k->softmax(s.data(), n, 0.125f, &top);
                QCOMPARE(top, expected_top);
                double expected_sum = 0;
                for (int i = 0; i < n; ++i) {
                    const double p =
                        std::exp(static_cast<double>(scores[static_cast<std::size_t>(i)]) * 0.125 - expected_top);
                    expected_sum += p;
                    // Scores of hundreds carry a rounding error of their own into the exponent.
                    QVERIFY(std::abs(s[static_cast<std::size_t>(i)] - p) <= 1e-6 + 1e-7 * spread);
                }
                QVERIFY(std::abs(sum - expected_sum) <= (1e-6 + 1e-7 * spread) * expected_sum);
                QVERIFY(k->sum_exp(scores.data(), n, *std::max_element(scores.begin(), scores.end())) >= 1.0f);
            }
        }
    }
}

void TestKernels::products_do_not_depend_on_neighbours() {
    std::mt19937 random(5);
    const int in = 77, outs = 45, rows = 23;
    const auto x = reference::random_floats(random, in * rows);
    for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
        const reference::Stored w(reference::random_floats(random, in * outs), type);
        std::vector<float> aligned((w.bytes.size() + 3) / 4);  // kernels want elements at their natural alignment
        std::memcpy(aligned.data(), w.data(), w.bytes.size() - 1);
        const auto* const weights = reinterpret_cast<const std::byte*>(aligned.data());
        for (const Kernels* k : available_kernels()) {
            std::vector<float> all(rows * outs), single(rows * outs);
            k->product(x.data(), in, rows, weights, type, in, outs, all.data(), outs, false);
            for (int r = 0; r < rows; ++r) {
                for (int o = 0; o < outs; ++o) {
                    const std::byte* row = weights + static_cast<std::ptrdiff_t>(o) * in * mor::bytes_of(type);
                    k->product(x.data() + r * in, in, 1, row, type, in, 1, &single[static_cast<std::size_t>(r * outs + o)],
                               outs, false);
                }
            }
            QVERIFY2(all == single, k->name);
        }
    }
}

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"
