// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/operation_timer.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace mor::cuda {

OperationTimer::OperationTimer(std::shared_ptr<DeviceStream> stream) : stream_(std::move(stream)) {}

OperationTimer::~OperationTimer() {
    for (const Interval& i : intervals_) {
        cudaEventDestroy(i.begin);
        cudaEventDestroy(i.end);
    }
    for (cudaEvent_t e : free_) cudaEventDestroy(e);
}

cudaEvent_t OperationTimer::event() {
    cudaEvent_t e = nullptr;
    if (free_.empty()) {
        check(cudaEventCreate(&e), "create an event");
    } else {
        e = free_.back();
        free_.pop_back();
    }
    return e;
}

OperationTimer::Scope::Scope(OperationTimer& timer, const char* operation) : timer_(timer.enabled_ ? &timer : nullptr) {
    if (!timer_) return;
    timer_->intervals_.push_back({operation, timer_->event(), timer_->event()});
    check(cudaEventRecord(timer_->intervals_.back().begin, timer_->stream_->stream()), "record an event");
}

OperationTimer::Scope::~Scope() {
    // An error here stays with the device and is found by the next operation.
    if (timer_) cudaEventRecord(timer_->intervals_.back().end, timer_->stream_->stream());
}

std::vector<OperationTime> OperationTimer::take() {
    check(cudaStreamSynchronize(stream_->stream()), "wait for the device");
    std::map<std::string, OperationTime> sums;
    for (; !intervals_.empty(); intervals_.pop_front()) {
        const Interval& i = intervals_.front();
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, i.begin, i.end), "read the time between two events");
        OperationTime& sum = sums[i.operation];
        sum.operation = i.operation;
        ++sum.calls;
        sum.milliseconds += static_cast<double>(milliseconds);
        free_.insert(free_.end(), {i.begin, i.end});
    }
    std::vector<OperationTime> times;
    for (auto& [operation, time] : sums) times.push_back(std::move(time));
    std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.milliseconds > b.milliseconds; });
    return times;
}

}  // namespace mor::cuda
