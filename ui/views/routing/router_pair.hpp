// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <vector>

#include "models/router_agreement.hpp"
#include "views/kit/heat_cell.hpp"

namespace mor::ui {

class TraceModel;

/// The routers of a run: one, or two of which one decides, and how far the other agrees. Ranks all tokens, so it is updated
/// when the data changes and asked as often as a picture is painted.
class RouterPair {
public:
    void update(const TraceModel&);

    bool areTwo() const { return two_; }
    bool auxiliaryDecides() const { return auxiliaryDecides_; }
    QString nameOfOther() const;  ///< of the one that does not decide
    /// Its score of a token, with ≠ where it would decide otherwise; empty without one.
    QString scoreOfOther(const mor::Decision&, int recursion) const;
    int offered() const { return offered_; }      ///< decisions that both scored; auxiliary routers decide
    int differing() const { return differing_; }  ///< of those: where the main one would decide otherwise

private:
    bool two_ = false;
    bool auxiliaryDecides_ = false;
    double threshold_ = -1;
    std::vector<RouterAgreement> agreements_;  ///< [R] where the auxiliary router decides
    int offered_ = 0;
    int differing_ = 0;
};

/// What is written about a token below the lane of a recursion.
struct RoutingNote {
    int recursion = 0;  ///< zero-based
    bool taken = false;
    QString score;  ///< "● 0.648"
    QString rule;   ///< "≥ 0.500"; empty where no threshold decides
    QString gate;
    QString margin;  ///< how close the decision was
    QString other;   ///< RouterPair::scoreOfOther
};

/// [R]; empty: nothing is routed, or there is no such token.
std::vector<RoutingNote> routingNotes(const TraceModel&, const HeatColours&, const RouterPair&, int token);

}  // namespace mor::ui
