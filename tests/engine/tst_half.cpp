// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

#include "tensor/half.hpp"

using namespace mor;

namespace {

/// What 16 bits mean by the definition of the format: `exponent` bits, then `mantissa` bits.
double meaning(std::uint16_t bits, int exponent, int mantissa) {
    const int e = (bits >> mantissa) & ((1 << exponent) - 1), m = bits & ((1 << mantissa) - 1);
    const int bias = (1 << (exponent - 1)) - 1;
    const double sign = bits & 0x8000 ? -1 : 1;
    if (e == (1 << exponent) - 1) return m ? NAN : sign * INFINITY;
    if (e == 0) return sign * std::ldexp(m, 1 - bias - mantissa);
    return sign * std::ldexp((1 << mantissa) + m, e - bias - mantissa);
}

struct Format {
    int exponent, mantissa;
    float (*widen)(std::uint16_t);
    std::uint16_t (*narrow)(float);
};

const Format kFormats[] = {{5, 10, f16_to_f32, f32_to_f16}, {8, 7, bf16_to_f32, f32_to_bf16}};

/// The nearest value, ties to the even pattern, by comparing with both neighbours; f is finite and positive.
std::uint16_t nearest(const Format& f, float value) {
    std::uint16_t low = 0, high = static_cast<std::uint16_t>(((1 << f.exponent) - 1) << f.mantissa);  // infinity
    while (high - low > 1) {
        const auto middle = static_cast<std::uint16_t>((low + high) / 2);
        (meaning(middle, f.exponent, f.mantissa) <= value ? low : high) = middle;
    }
    // Rounding treats infinity as the next power of two.
    const double below = meaning(low, f.exponent, f.mantissa);
    double above = meaning(high, f.exponent, f.mantissa);
    if (std::isinf(above)) above = std::ldexp(1.0, 1 << (f.exponent - 1));
    const double down = value - below, up = above - value;
    if (down == up) return low % 2 == 0 ? low : high;
    return down < up ? low : high;
}

}  // namespace

class TestHalf : public QObject {
    Q_OBJECT

private slots:
    void every_pattern_widens_exactly();
    void every_pattern_survives_a_round_trip();
    void narrowing_rounds_to_nearest_even();
};

void TestHalf::every_pattern_widens_exactly() {
    for (const Format& f : kFormats) {
        for (unsigned b = 0; b < 65536; ++b) {
            const auto bits = static_cast<std::uint16_t>(b);
            const double expected = meaning(bits, f.exponent, f.mantissa);
            const float got = f.widen(bits);
            QVERIFY2(std::isnan(expected) ? std::isnan(got) : got == expected, qPrintable(QString::number(b, 16)));
            QCOMPARE(std::signbit(got), (b & 0x8000) != 0);
        }
    }
}

void TestHalf::every_pattern_survives_a_round_trip() {
    for (const Format& f : kFormats) {
        for (unsigned b = 0; b < 65536; ++b) {
            const auto bits = static_cast<std::uint16_t>(b);
            const float wide = f.widen(bits);
            const std::uint16_t back = f.narrow(wide);
            QVERIFY2(std::isnan(wide) ? std::isnan(f.widen(back)) : back == bits, qPrintable(QString::number(b, 16)));
        }
    }
}

void TestHalf::narrowing_rounds_to_nearest_even() {
    std::mt19937 random(1);
    for (const Format& f : kFormats) {
        for (int i = 0; i < 300000; ++i) {
            std::uint32_t u = random() & 0x7fffffffu;
            // Every other number lies near the format's range; every fourth exactly between two neighbours.
            if (i % 2) u = (random() & 0x007fffffu) | ((100u + random() % 45u) << 23);
            if (i % 4 == 3) u = (u & ~0xffffu) | (f.mantissa == 7 ? 0x8000u : 0x1000u);
            const float value = std::bit_cast<float>(u);
            if (!std::isfinite(value)) continue;
            const std::uint16_t expected = nearest(f, value);
            QVERIFY2(f.narrow(value) == expected, qPrintable(QString::number(u, 16)));
            QVERIFY(f.narrow(-value) == (expected | 0x8000));
        }
    }
}

QTEST_APPLESS_MAIN(TestHalf)
#include "tst_half.moc"
