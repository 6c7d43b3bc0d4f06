// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/theme.hpp"

#include <QFontDatabase>

namespace mor::ui {
namespace {

// DejaVu Sans has tabular figures and the glyphs ● ○ ◐ ◆ ↵; the system's font steps in where it is missing.
QFont sized(double pixels, QFont::Weight weight) {
    QFont font;
    font.setFamilies({QStringLiteral("DejaVu Sans"), QFontDatabase::systemFont(QFontDatabase::GeneralFont).family()});
    font.setPixelSize(qMax(1, qRound(pixels)));
    font.setWeight(weight);
    return font;
}

}  // namespace

QFont Theme::caption() const { return sized(px(12), QFont::Normal); }
QFont Theme::title() const { return sized(px(13), QFont::Bold); }
QFont Theme::body() const { return sized(px(13), QFont::Normal); }
QFont Theme::token() const { return sized(px(16), QFont::Normal); }

}  // namespace mor::ui
