// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <optional>

#include "mor/trace.hpp"

namespace mor::ui {

/// What makes a token worth stopping at. Any one of the conditions is enough; none set: nothing matches.
struct TokenConditions {
    std::optional<int> depthAtLeast;
    std::optional<double> marginBelow;  ///< some router decided by less than this, in the unit compared
    QString text;                       ///< the token completes this text, upper and lower case alike; empty: not asked

    bool isEmpty() const { return !depthAtLeast && !marginBelow && text.isEmpty(); }
    bool operator==(const TokenConditions&) const = default;
};

/// Whether `token` (an index) of the run matches, and why: "depth 3", "margin 0.012", "“king”"; empty: no match.
QString matchOf(const TokenConditions&, const mor::Trace&, int token);

/// The next token after `from` that matches, or before it where `step` is -1; -1: none. Searches the first `tokens`.
int findMatch(const TokenConditions&, const mor::Trace&, int from, int step, int tokens);

}  // namespace mor::ui
