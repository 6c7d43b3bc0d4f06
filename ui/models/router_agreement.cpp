// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/router_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "models/trace_model.hpp"

namespace mor::ui {

bool RouterAgreement::differs(const mor::Decision& decision) const {
    if (decision.outcome == mor::Outcome::NotOffered || !std::isfinite(decision.logit)) return false;
    return (decision.outcome == mor::Outcome::Take) != (static_cast<double>(decision.logit) >= cut);
}

RouterAgreement routerAgreement(const TraceModel& model, int recursion) {
    std::vector<double> logits;
    std::size_t taken = 0;
    for (int token = 0; token < model.tokenCount(); ++token) {
        const auto& decision = model.token(token).recursions[static_cast<std::size_t>(recursion)];
        if (decision.outcome == mor::Outcome::NotOffered || !std::isfinite(decision.logit)) continue;
        logits.push_back(static_cast<double>(decision.logit));
        taken += decision.outcome == mor::Outcome::Take;
    }
    RouterAgreement agreement{std::numeric_limits<double>::infinity(), static_cast<int>(logits.size()), 0};
    if (taken > 0) {
        const auto last = logits.begin() + static_cast<std::ptrdiff_t>(taken - 1);
        std::nth_element(logits.begin(), last, logits.end(), std::greater<>());
        agreement.cut = *last;
    }
    for (int token = 0; token < model.tokenCount(); ++token)
        agreement.differing += agreement.differs(model.token(token).recursions[static_cast<std::size_t>(recursion)]);
    return agreement;
}

}  // namespace mor::ui
