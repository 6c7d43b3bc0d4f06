// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <atomic>
#include <chrono>
#include <ctime>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "backend/cpu/thread_pool.hpp"

using mor::cpu::ThreadPool;

class TestThreadPool : public QObject {
    Q_OBJECT

private slots:
    void every_tile_once_data();
    void every_tile_once();
    void results_are_visible_to_the_caller();
    void exceptions_reach_the_caller();
    void waiting_threads_sleep();
    void sleeping_threads_wake();
};

void TestThreadPool::every_tile_once_data() {
    QTest::addColumn<int>("threads");
    for (const int threads : {1, 2, 3, 8}) QTest::addRow("%d", threads) << threads;
}

void TestThreadPool::every_tile_once() {
    QFETCH(int, threads);
    ThreadPool pool(threads);
    QCOMPARE(pool.threads(), threads);
    for (int round = 0; round < 300; ++round) {
        for (const int tiles : {0, 1, 2, 3, 17, 100}) {
            std::vector<std::atomic<int>> seen(static_cast<std::size_t>(tiles));
            std::atomic<bool> strange{false};
            pool.parallel_for(tiles, [&](int tile, int thread) {
                if (thread < 0 || thread >= threads) strange = true;
                ++seen[static_cast<std::size_t>(tile)];
            });
            QVERIFY(!strange);
            for (const auto& count : seen) QCOMPARE(count.load(), 1);
        }
    }
}

/// Plain memory written in a tile may be read after the job without further ado; ThreadSanitizer watches.
void TestThreadPool::results_are_visible_to_the_caller() {
    ThreadPool pool(3);
    std::vector<long> sums(64);
    for (int round = 1; round <= 2000; ++round) {
        pool.parallel_for(64, [&](int tile, int) { sums[static_cast<std::size_t>(tile)] += tile; });
        QCOMPARE(std::accumulate(sums.begin(), sums.end(), 0L), 2016L * round);
    }
}

void TestThreadPool::exceptions_reach_the_caller() {
    ThreadPool pool(3);
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> finished{0};
        QVERIFY_EXCEPTION_THROWN(pool.parallel_for(20,
                                                   [&](int tile, int) {
                                                       if (tile % 7 == 3) throw std::runtime_error("tile");
                                                       ++finished;
                                                   }),
                                 std::runtime_error);
        QCOMPARE(finished.load(), 17);
        pool.parallel_for(20, [&](int, int) { ++finished; });
        QCOMPARE(finished.load(), 37);
    }
}

/// Processor time of the whole process, in seconds.
static double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void TestThreadPool::waiting_threads_sleep() {
    ThreadPool pool(4);
    pool.parallel_for(8, [](int, int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const double before = processor_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const double idle = processor_seconds() - before;
    QVERIFY2(idle < 0.05, qPrintable(QString("idle pool used %1 s").arg(idle)));

    // The caller sleeps too when another thread's tile takes long; three sleeping tiles of four cost nothing.
    const double start = processor_seconds();
    pool.parallel_for(
        4, [](int, int thread) { std::this_thread::sleep_for(std::chrono::milliseconds(thread == 0 ? 1 : 200)); });
    QVERIFY(processor_seconds() - start < 0.1);
}

void TestThreadPool::sleeping_threads_wake() {
    ThreadPool pool(2);
    for (int round = 0; round < 200; ++round) {
        // Around the end of the spinning time, where going to sleep and a new job meet.
        std::this_thread::sleep_for(std::chrono::microseconds(round));
        std::atomic<int> done{0};
        pool.parallel_for(4, [&](int, int) { ++done; });
        QCOMPARE(done.load(), 4);
    }
    // A tile of each thread waits for the other, so this ends only if both threads take part.
    std::atomic<int> together{0};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.parallel_for(2, [&](int, int) {
        ++together;
        while (together < 2) std::this_thread::yield();
    });
    QCOMPARE(together.load(), 2);
}

QTEST_APPLESS_MAIN(TestThreadPool)
#include "tst_thread_pool.moc"
