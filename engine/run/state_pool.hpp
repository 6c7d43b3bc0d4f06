// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.hpp"

namespace mor {

/// States of all rows in flight: one matrix [capacity, width] in backend memory, handed out row by row.
class StatePool {
public:
    StatePool(std::shared_ptr<Backend> backend, int width) : backend_(std::move(backend)), width_(width) {}

    /// n free rows. May move the matrix, so data() must be asked for again.
    std::vector<int> take(int n);
    void give(const std::vector<int>& rows) { free_.insert(free_.end(), rows.rbegin(), rows.rend()); }

    float* data() { return reinterpret_cast<float*>(memory_.get()); }

    /// Gives the memory back when no row is taken.
    void release_unused() {
        if (static_cast<int>(free_.size()) != capacity_) return;
        free_.clear();
        memory_.reset();
        capacity_ = 0;
    }

private:
    void grow(int rows);

    std::shared_ptr<Backend> backend_;
    int width_;
    int capacity_ = 0;
    std::shared_ptr<std::byte> memory_;
    std::vector<int> free_;
};

}  // namespace mor
