// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>
#include <QString>
#include <functional>

class QEvent;
class QHelpEvent;
class QKeyEvent;
class QWidget;

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

/// A token's name between quotation marks, line breaks and blanks made visible.
QString quoted(const QString& label);

/// What the pointer does over a view of tokens without a button: moving hovers, leaving ends that, resting shows the
/// tooltip. True: the view has nothing left to do for this event.
bool followPointer(QEvent&, QWidget* viewport, Selection&, const TraceModel&, const std::function<int(QPointF)>& tokenAt);

/// Shows tokenTip() at the pointer, or hides the tooltip where there is no token.
void showTokenTip(const QHelpEvent&, QWidget*, const TraceModel&, int token);

}  // namespace mor::ui
