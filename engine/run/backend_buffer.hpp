// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "backend/backend.hpp"

namespace mor {

/// Floats in backend memory for results between two operations: grows to the most asked for, and is then kept.
class BackendBuffer {
public:
    explicit BackendBuffer(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

    /// Room for `count` floats; what it held before is lost.
    float* room(std::size_t count) {
        if (count > capacity_) {
            release();
            memory_ = backend_->allocate(count * sizeof(float));  // may throw
            capacity_ = count;
        }
        return data();
    }

    /// What the last room() returned, with everything written there since.
    float* data() const { return reinterpret_cast<float*>(memory_.get()); }

    void release() {
        memory_.reset();
        capacity_ = 0;
    }

private:
    std::shared_ptr<Backend> backend_;
    std::shared_ptr<std::byte> memory_;
    std::size_t capacity_ = 0;
};

}  // namespace mor
