// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "mor/trace.hpp"

namespace mor {

/// One side adds to `waiting`, the other takes all of it at once and writes it in one go.
struct TraceRecorder::Impl {
    struct Step {
        PassRecord pass;
        std::vector<TokenRecord> tokens;
    };

    Impl(const std::filesystem::path& path, const TraceHeader& header) : writer(path, header) {}

    void run();
    void write(const std::vector<Step>&);
    void throw_failure() {
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    }

    TraceWriter writer;
    std::mutex mutex;
    std::condition_variable work;  ///< there is something to write, or no more patience
    std::condition_variable done;  ///< everything taken has been written
    std::vector<Step> waiting;
    bool writing = false;
    bool hurry = false;  ///< somebody waits
    bool ending = false;
    bool broken = false;  ///< the disk failed: nothing more is written
    std::exception_ptr failure;
    std::thread thread;
};

void TraceRecorder::Impl::write(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        writer.put(step.pass);
        for (const TokenRecord& token : step.tokens) writer.put(token);
    }
    writer.flush();
}

void TraceRecorder::Impl::run() {
    std::vector<Step> steps;
    std::unique_lock lock(mutex);
    while (true) {
        work.wait(lock, [&] { return !waiting.empty() || ending; });
        if (waiting.empty()) return;
        // What comes within the delay is written in the same go, and nobody has to wake this thread for it.
        work.wait_for(lock, kDelay, [&] { return hurry || ending || waiting.size() >= kCapacity; });
        steps.swap(waiting);
        writing = true;
        std::exception_ptr problem;
        lock.unlock();
        try {
            if (!broken) write(steps);
        } catch (...) {
            broken = true;
            problem = std::current_exception();
        }
        steps.clear();
        lock.lock();
        writing = false;
        if (problem) failure = problem;
        done.notify_all();
    }
}

TraceRecorder::TraceRecorder(const std::filesystem::path& path, const TraceHeader& header)
    : impl_(std::make_unique<Impl>(path, header)) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

TraceRecorder::~TraceRecorder() {
    {
        const std::scoped_lock lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->work.notify_one();
    impl_->thread.join();
}

void TraceRecorder::add(const Events& events) {
    Impl::Step step{events.pass, {}};
    step.tokens.reserve(events.tokens.size());
    for (const FinishedToken& token : events.tokens) step.tokens.push_back(token.record);
    std::unique_lock lock(impl_->mutex);
    if (impl_->waiting.size() >= kCapacity) {
        impl_->work.notify_one();
        impl_->done.wait(lock, [&] { return impl_->waiting.size() < kCapacity; });
    }
    impl_->throw_failure();
    impl_->waiting.push_back(std::move(step));
    const bool first = impl_->waiting.size() == 1;
    lock.unlock();
    if (first) impl_->work.notify_one();
}

void TraceRecorder::flush() {
    std::unique_lock lock(impl_->mutex);
    impl_->hurry = true;
    impl_->work.notify_one();
    impl_->done.wait(lock, [&] { return impl_->waiting.empty() && !impl_->writing; });
    impl_->hurry = false;
    impl_->throw_failure();
}

}  // namespace mor
