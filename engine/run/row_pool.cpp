// SPDX-License-Identifier: Apache-2.0
#include "run/row_pool.hpp"

#include <algorithm>
#include <numeric>

namespace mor {

std::vector<int> RowPool::take(int n) {
    if (static_cast<int>(free_.size()) < n) grow(std::max(2 * capacity_, capacity_ + n));
    std::vector<int> rows(free_.rbegin(), free_.rbegin() + n);
    free_.resize(free_.size() - n);
    return rows;
}

void RowPool::grow(int rows) {
    auto larger = backend_->allocate(static_cast<std::size_t>(rows) * width_ * sizeof(float));
    if (capacity_ > 0) {
        std::vector<int> all(capacity_);
        std::iota(all.begin(), all.end(), 0);
        backend_->gather(data(), all, width_, reinterpret_cast<float*>(larger.get()));
    }
    memory_ = std::move(larger);
    std::vector<int> fresh(rows - capacity_);  // taken from the back, so the lowest row comes first
    std::iota(fresh.rbegin(), fresh.rend(), capacity_);
    free_.insert(free_.begin(), fresh.begin(), fresh.end());
    capacity_ = rows;
}

}  // namespace mor
