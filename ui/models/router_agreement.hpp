// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "mor/record.hpp"

namespace mor::ui {

class TraceModel;

/// How far the main router of a recursion agrees with the auxiliary one, which decided. The main router was trained to rank
/// and has no threshold, so it is asked for its own best, as many as the auxiliary router took.
struct RouterAgreement {
    double cut = 0;     ///< the lowest main logit among its best
    int offered = 0;    ///< finished tokens that both routers scored
    int differing = 0;  ///< of those: taken by one of the two only

    bool differs(const mor::Decision&) const;
};

RouterAgreement routerAgreement(const TraceModel&, int recursion);

}  // namespace mor::ui
