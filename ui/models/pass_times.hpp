// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <vector>

#include "mor/record.hpp"

namespace mor::ui {

/// Where the time of each token went: the milliseconds of the passes it was part of, divided evenly among the rows that
/// were computed in a pass. Index 0 are the layers outside the recursions, r + 1 is recursion r.
class PassTimes {
public:
    void reset(int recursions);
    void add(const mor::PassRecord&);

    int recursions() const { return parts_ - 1; }
    int tokenCount() const { return static_cast<int>(times_.size()) / parts_; }
    std::span<const float> of(int token) const;  ///< [R + 1]; zeros where nothing is known
    double total(int token) const;               ///< milliseconds
    double medianPass() const;                   ///< milliseconds of a pass; 0 while there is none

private:
    int parts_ = 1;
    std::vector<float> times_;   ///< [tokens, R + 1]
    std::vector<float> passes_;  ///< milliseconds
    std::vector<float> nothing_{0};
};

}  // namespace mor::ui
