// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPalette>
#include <QString>

#include "gui/controls/settings.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

/// The frame around the pictures: Qt's palette and the style sheet of the window's own widgets, both made from the
/// theme's colours.
QPalette paletteOf(const Theme&);
QString styleSheetOf(const Theme&);

/// Light or dark, as chosen; "system" follows the palette the desktop gave the program at its start.
Appearance appearanceOf(AppearanceChoice, const QPalette& desktop);

}  // namespace mor::ui
