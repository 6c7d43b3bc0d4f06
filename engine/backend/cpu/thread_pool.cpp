// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/thread_pool.hpp"

#include <chrono>
#include <utility>

namespace mor::cpu {
namespace {

/// Long enough to bridge the serial work between two row operations, short enough that a waiting thread hardly
/// disturbs others when cores are shared.
constexpr std::chrono::microseconds kSpin{40};

void pause() {
#ifdef MOR_CPU_X86
    __builtin_ia32_pause();
#endif
}

/// Waits until done() or the end of the spinning time; returns whether it is done.
template <class Condition>
bool spin_until(Condition done) {
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
        for (int i = 0; i < 16; ++i) {
            if (done()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return done();
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
    try {
        for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { work(t); });
    } catch (...) {
        stop_ = true;
        { std::lock_guard lock(mutex_); }
        wake_workers_.notify_all();
        for (auto& w : workers_) w.join();
        throw;
    }
}

ThreadPool::~ThreadPool() {
    stop_ = true;
    { std::lock_guard lock(mutex_); }
    wake_workers_.notify_all();
    for (auto& w : workers_) w.join();
}

void ThreadPool::run(int tiles, Job job) {
    if (tiles <= 0) return;
    if (workers_.empty() || tiles == 1) {
        for (int tile = 0; tile < tiles; ++tile) job.call(job.function, tile, 0);
        return;
    }
    job_ = job;
    unfinished_.store(tiles);
    const std::uint64_t number = tickets_.load() / kTiles + 1;
    tickets_.store(number * kTiles + static_cast<std::uint64_t>(tiles));
    // A worker counts itself as sleeping before it looks at the tickets for the last time, so either it sees the new
    // ones or we see it here; the lock waits until it really sleeps.
    if (sleeping_workers_.load() > 0) {
        {
            std::lock_guard lock(mutex_);
        }
        wake_workers_.notify_all();
    }
    for (int tile = 0; take_tile(tile);) run_tile(tile, 0);
    const auto finished = [this] { return unfinished_.load() == 0; };
    if (!spin_until(finished)) {
        std::unique_lock lock(mutex_);
        sleeping_caller_ = true;
        wake_caller_.wait(lock, finished);
        sleeping_caller_ = false;
    }
    std::unique_lock lock(mutex_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool ThreadPool::take_tile(int& tile) {
    std::uint64_t tickets = tickets_.load();
    while (tickets % kTiles != 0) {
        if (tickets_.compare_exchange_weak(tickets, tickets - 1)) {
            tile = static_cast<int>(tickets % kTiles) - 1;
            return true;
        }
    }
    return false;
}

void ThreadPool::run_tile(int tile, int thread) {
    try {
        job_.call(job_.function, tile, thread);
    } catch (...) {
        std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }
    if (unfinished_.fetch_sub(1) == 1 && sleeping_caller_.load()) {
        {
            std::lock_guard lock(mutex_);
        }
        wake_caller_.notify_one();
    }
}

void ThreadPool::work(int thread) {
    const auto something_to_do = [this] { return stop_.load() || tiles_left(); };
    while (!stop_) {
        for (int tile = 0; take_tile(tile);) run_tile(tile, thread);
        if (spin_until(something_to_do)) continue;
        std::unique_lock lock(mutex_);
        ++sleeping_workers_;
        wake_workers_.wait(lock, something_to_do);
        --sleeping_workers_;
    }
}

}  // namespace mor::cpu
