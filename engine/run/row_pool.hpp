// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.hpp"

namespace mor {

/// One matrix [capacity, width] of float32 in backend memory, handed out row by row: the states of all rows in flight, or
/// the logits that requests keep.
class RowPool {
public:
    RowPool(std::shared_ptr<Backend> backend, int width) : backend_(std::move(backend)), width_(width) {}

    /// n free rows. May move the matrix, so data() must be asked for again.
    std::vector<int> take(int n);
    void give(const std::vector<int>& rows) { free_.insert(free_.end(), rows.rbegin(), rows.rend()); }

    float* data() const { return reinterpret_cast<float*>(memory_.get()); }
    int width() const { return width_; }

    /// A copy of one row on the host.
    std::vector<float> row(int number) const {
        std::vector<float> values(static_cast<std::size_t>(width_));
        backend_->download(data() + static_cast<std::size_t>(number) * width_, values.size(), values.data());
        return values;
    }

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
