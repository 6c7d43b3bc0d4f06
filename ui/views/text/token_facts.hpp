// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QString>
#include <QStringList>
#include <vector>

#include "views/kit/heat_cell.hpp"

namespace mor::ui {

class TraceModel;

/// What is known about one token, in words and numbers, as pure functions of the run.

/// What the router of one recursion said about it.
struct RoutedRow {
    int recursion = 0;  ///< zero-based
    bool offered = false;
    double share = 0;  ///< of the bar that is filled
    double tick = -1;  ///< threshold; negative: none
    QColor colour;
    double value = 0;  ///< the score; NaN where there is none
    QString score;
    QString gate;
    QString margin;
    QString outcome;  ///< "● continues"
};
std::vector<RoutedRow> routedRows(const TraceModel&, const HeatColours&, int token);  ///< [R]; empty: nothing is routed

/// What else could have stood in its place, the likeliest first: "“not” 0.52".
QStringList alternativesOf(const TraceModel&, int token);

/// What it would say if it stopped after a recursion, the likeliest first.
struct ExitWords {
    int recursion = 0;  ///< zero-based
    QStringList words;  ///< "“not” 0.21"
};
std::vector<ExitWords> exitsOf(const TraceModel&, int token);  ///< one for each recursion taken; empty: not recorded

/// "prompt", "probability 0.451", "5.7 MFLOP, vanilla 9.1 M computed": what is known of it.
QStringList numbersOf(const TraceModel&, int token);

/// What two tokens differ in: "depth 1 against 3" and so on.
QStringList differenceOf(const TraceModel&, int token, int other);

}  // namespace mor::ui
