// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/theme.hpp"

#include <QFontDatabase>
#include <QHash>
#include <utility>

namespace mor::ui {
namespace {

// DejaVu Sans has tabular figures and the glyphs ● ○ ◐ ◆ ↵; the system's font steps in where it is missing.
QFont makeFont(int pixels, QFont::Weight weight) {
    QFont font;
    font.setFamilies({QStringLiteral("DejaVu Sans"), QFontDatabase::systemFont(QFontDatabase::GeneralFont).family()});
    font.setPixelSize(pixels);
    font.setWeight(weight);
    return font;
}

/// Each is made once: finding the family takes time, and copies of one font are known to be equal at once.
QFont sized(double size, QFont::Weight weight) {
    static auto& made =
        *new QHash<std::pair<int, QFont::Weight>, QFont>;  // never destroyed: it would outlive the application
    const int pixels = qMax(1, qRound(size));
    auto font = made.find({pixels, weight});
    if (font == made.end()) font = made.insert({pixels, weight}, makeFont(pixels, weight));
    return *font;
}

}  // namespace

QFont Theme::caption() const { return sized(px(12), QFont::Normal); }
QFont Theme::title() const { return sized(px(13), QFont::Bold); }
QFont Theme::body() const { return sized(px(13), QFont::Normal); }
QFont Theme::token() const { return sized(px(16), QFont::Normal); }

}  // namespace mor::ui
