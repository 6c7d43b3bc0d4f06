// SPDX-License-Identifier: GPL-3.0-or-later
#include "feed/record_queue.hpp"

#include <utility>

namespace mor::ui {

Delivery& RecordQueue::last() {
    if (deliveries_.empty()) deliveries_.emplace_back();
    return deliveries_.back();
}

void RecordQueue::begin(mor::TraceHeader header) {
    const std::scoped_lock lock(mutex_);
    deliveries_.emplace_back().header = std::move(header);
}

bool RecordQueue::push(mor::Events&& events) {
    const std::scoped_lock lock(mutex_);
    Delivery& delivery = last();
    for (mor::FinishedToken& token : events.tokens) delivery.tokens.push_back(std::move(token.record));
    waiting_ += events.tokens.size() + 1;
    delivery.passes.push_back(std::move(events.pass));
    producer_waits_ = waiting_ >= kCapacity;
    return !producer_waits_;
}

void RecordQueue::warn(const QString& sentence) {
    const std::scoped_lock lock(mutex_);
    last().warnings.append(sentence);
}

void RecordQueue::fail(const QString& sentence) {
    const std::scoped_lock lock(mutex_);
    last().failure = sentence;
}

void RecordQueue::finish(mor::Finish finish) {
    const std::scoped_lock lock(mutex_);
    // A run that was continued may end a second time before anybody looked: keep both ends apart.
    if (last().finish) deliveries_.emplace_back();
    last().finish = finish;
}

RecordQueue::Drained RecordQueue::drain() {
    const std::scoped_lock lock(mutex_);
    waiting_ = 0;
    return {std::exchange(deliveries_, {}), std::exchange(producer_waits_, false)};
}

}  // namespace mor::ui
