// SPDX-License-Identifier: GPL-3.0-or-later
#include "feed/record_queue.hpp"

namespace mor::ui {

void RecordQueue::push(News news) {
    const std::scoped_lock lock(mutex_);
    news_.push_back(std::move(news));
}

bool RecordQueue::push(mor::Events&& events) {
    const std::scoped_lock lock(mutex_);
    if (news_.empty() || !std::holds_alternative<Records>(news_.back())) news_.emplace_back(Records{});
    auto& records = std::get<Records>(news_.back());
    for (mor::FinishedToken& token : events.tokens) records.tokens.push_back(std::move(token.record));
    records.passes.push_back(std::move(events.pass));
    waiting_ += events.tokens.size() + 1;
    producer_waits_ = waiting_ >= kCapacity;
    return !producer_waits_;
}

RecordQueue::Drained RecordQueue::drain() {
    const std::scoped_lock lock(mutex_);
    waiting_ = 0;
    return {std::exchange(news_, {}), std::exchange(producer_waits_, false)};
}

}  // namespace mor::ui
