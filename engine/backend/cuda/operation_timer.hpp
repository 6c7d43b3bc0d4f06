// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/device_stream.hpp"

namespace mor::cuda {

/// Puts an event before and behind each operation while it is enabled, and reads the times in between when asked.
class OperationTimer {
public:
    explicit OperationTimer(std::shared_ptr<DeviceStream>);
    ~OperationTimer();
    OperationTimer(const OperationTimer&) = delete;
    OperationTimer& operator=(const OperationTimer&) = delete;

    /// Ends the operation's time when it goes out of scope.
    class Scope {
    public:
        Scope(OperationTimer& timer, const char* operation);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        OperationTimer* timer_;  ///< null while nothing is measured
    };

    void enable(bool on) { enabled_ = on; }
    Scope start(const char* operation) { return {*this, operation}; }
    std::vector<OperationTime> take();

private:
    struct Interval {
        const char* operation;
        cudaEvent_t begin, end;
    };
    cudaEvent_t event();

    std::shared_ptr<DeviceStream> stream_;
    bool enabled_ = false;
    std::deque<Interval> intervals_;
    std::vector<cudaEvent_t> free_;  ///< events to use again
};

}  // namespace mor::cuda
