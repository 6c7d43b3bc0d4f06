// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "gui/arguments.hpp"

namespace mor::ui {

/// Draws a live run in a window of its own and saves the picture. Returns one sentence when that fails, else nothing.
QString takeScreenshot(const Arguments&);

/// Draws a recorded trace. Returns as takeScreenshot().
QString exportTrace(const Arguments&);

}  // namespace mor::ui
