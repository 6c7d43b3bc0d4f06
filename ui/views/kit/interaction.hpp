// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QKeyEvent;

/// What all views of tokens have in common under the hands.
namespace mor::ui {

class Selection;
class TraceModel;

/// Left and right move the pin, with Ctrl by ten; Home and End go to the ends; Esc clears. False: not such a key.
bool steer(Selection&, const TraceModel&, const QKeyEvent&);

/// Everything known about a token, as the text of a tooltip.
QString tokenTip(const TraceModel&, int token);

/// What is to be said about models without recursions.
QString withoutRecursions(const TraceModel&);

}  // namespace mor::ui
