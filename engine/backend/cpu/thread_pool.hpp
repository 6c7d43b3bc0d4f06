// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace mor::cpu {

/// A fixed number of threads, the caller's included, that share the tiles of one job after the other.
///
/// Which thread computes a tile is left to chance; results must depend on the tile alone. Waiting threads spin for
/// some tens of microseconds and then sleep, so an idle pool costs nothing. One caller at a time; not reentrant.
class ThreadPool {
public:
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    /// Calls f(tile, thread) for every tile in [0, tiles) and returns when all are done; `thread` is in
    /// [0, threads()). The first exception of a tile is rethrown here, after the other tiles have ended.
    template <class Function>
    void parallel_for(int tiles, Function&& f) {
        using F = std::remove_reference_t<Function>;
        run(tiles, {[](void* function, int tile, int thread) { (*static_cast<F*>(function))(tile, thread); },
                    const_cast<std::remove_const_t<F>*>(&f)});
    }

private:
    struct Job {
        void (*call)(void*, int tile, int thread) = nullptr;
        void* function = nullptr;
    };

    void run(int tiles, Job);
    void work(int thread);
    bool take_tile(int& tile);
    void run_tile(int tile, int thread);
    bool tiles_left() const { return tickets_.load() % kTiles != 0; }

    // Job number in the upper half, tiles not yet taken in the lower. The number makes a ticket of an earlier job
    // worthless to a thread that was held up, so `job_` is only read while its job cannot end.
    static constexpr std::uint64_t kTiles = std::uint64_t{1} << 32;
    std::atomic<std::uint64_t> tickets_{0};
    std::atomic<int> unfinished_{0};  ///< tiles of the current job that have not ended
    Job job_;

    std::mutex mutex_;  ///< guards sleeping and failure_
    std::condition_variable wake_workers_;
    std::condition_variable wake_caller_;
    std::atomic<int> sleeping_workers_{0};
    std::atomic<bool> sleeping_caller_{false};
    std::atomic<bool> stop_{false};
    std::exception_ptr failure_;
    std::vector<std::thread> workers_;
};

}  // namespace mor::cpu
