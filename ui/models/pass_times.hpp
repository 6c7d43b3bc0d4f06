// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <queue>
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
    void noteLength(float milliseconds);

    int parts_ = 1;
    std::vector<float> times_;  ///< [tokens, R + 1]
    /// Milliseconds of all passes, the shorter half and the longer one; the longer one's shortest is the median.
    std::priority_queue<float> shorter_;
    std::priority_queue<float, std::vector<float>, std::greater<>> longer_;
    std::vector<float> nothing_{0};
};

}  // namespace mor::ui
