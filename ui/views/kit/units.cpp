// SPDX-License-Identifier: GPL-3.0-or-later
#include <QCoreApplication>
#include <QLocale>
#include <cmath>

#include "views/kit/geometry.hpp"

namespace mor::ui {

ByteUnit byteUnit(double largest) {
    if (largest < 1024.0) return {1.0, QCoreApplication::translate("mor::ui", "bytes")};
    if (largest < 1024.0 * 1024) return {1024.0, QStringLiteral("KiB")};
    if (largest < 1024.0 * 1024 * 1024) return {1024.0 * 1024, QStringLiteral("MiB")};
    return {1024.0 * 1024 * 1024, QStringLiteral("GiB")};
}

QString bytesText(std::int64_t bytes) {
    const auto unit = byteUnit(static_cast<double>(bytes));
    return QLocale().toString(static_cast<double>(bytes) / unit.divisor, 'f', unit.divisor > 1 ? 1 : 0) + QChar(0xa0) +
           unit.name;
}

QString countText(std::int64_t count) { return QLocale().toString(static_cast<qlonglong>(count)); }

QString siText(double value) {
    static constexpr struct {
        double divisor;
        char prefix;
    } kScales[] = {{1e12, 'T'}, {1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}};
    for (const auto& scale : kScales)
        if (std::abs(value) >= scale.divisor)
            return QLocale().toString(value / scale.divisor, 'f', std::abs(value) < 100 * scale.divisor ? 1 : 0) +
                   QChar(0xa0) + QLatin1Char(scale.prefix);
    return QLocale().toString(value, 'f', std::abs(value) < 100 && value != std::floor(value) ? 1 : 0);
}

QString percentText(double share) { return QLocale().toString(100.0 * share, 'f', 0) + QChar(0xa0) + QLatin1Char('%'); }

QString scoreText(double score) { return std::isnan(score) ? QStringLiteral("–") : QLocale().toString(score, 'f', 3); }

QString durationText(double milliseconds) {
    if (milliseconds > 0 && milliseconds < 0.1)
        return QLocale().toString(milliseconds * 1000, 'f', milliseconds < 0.01 ? 1 : 0) + QStringLiteral("\u00a0µs");
    if (milliseconds < 1000)
        return QLocale().toString(milliseconds, 'f', milliseconds < 10 ? 1 : 0) + QStringLiteral("\u00a0ms");
    return QLocale().toString(milliseconds / 1000, 'f', 1) + QStringLiteral("\u00a0s");
}

}  // namespace mor::ui
