// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "cuda_emulation/fibre.hpp"
#include "cuda_emulation/launch.hpp"
#include "cuda_emulation/random.hpp"
#include "cuda_emulation/shared_memory.hpp"

namespace cuda_emulation {

/// One CUDA thread of the block that runs.
struct CudaThread {
    Fibre* fibre = nullptr;  ///< null before it first runs and after it returned
    uint3 index;
    unsigned lane = 0, warp = 0;
    unsigned source = 0;       ///< the lane its shuffle reads
    std::uint64_t value = 0;   ///< what it brought to a collective
    std::uint64_t result = 0;  ///< what it took away
};

/// Lanes that met, or are going to meet, in one warp collective.
struct WarpGroup {
    unsigned mask = 0, arrived = 0;
    Collective kind = Collective::Sync;
    Where where;
    void* tag = nullptr;  ///< for ThreadSanitizer
};

struct Warp {
    unsigned ready = 0;   ///< lanes that can run
    unsigned exited = 0;  ///< lanes that returned or that the block does not have
    unsigned groups = 0;
    std::array<WarpGroup, 32> group;
};

/// Runs the blocks of a grid one after another, their threads as fibres in an order that the seed decides. A thread runs
/// until it has to wait for others; then another one that can run is drawn.
class Multiprocessor {
public:
    Multiprocessor() = default;

    /// Runs the whole grid; false when a fault ended it early.
    bool run(const Launch&);

    // What the running thread calls.
    int barrier(int predicate, const Where&);
    std::uint64_t collective(Collective, unsigned mask, std::uint64_t value, unsigned source, const Where&);
    void fence();
    SharedMemory& shared() { return shared_; }

    void seed(std::uint64_t, bool shuffle);

private:
    struct Barrier {
        unsigned arrived = 0;
        int count = 0;   ///< predicates that were not zero
        int result = 0;  ///< the count of the barrier passed last
        Where where;
        void* tag = nullptr;
    };

    void run_block(uint3 index);
    void start_threads();
    void end_block();
    void report_deadlock();
    static void fibre_main();
    void run_threads();

    CudaThread* draw();
    unsigned draw_bit(unsigned set, std::uint64_t random) const;
    void enter(CudaThread&);
    void go_on_with(CudaThread&, Fibre& from);
    void wait();
    void finish();
    void leave_block(CudaThread&);
    Fibre* idle_fibre();

    void pass_barrier();
    void complete(Warp&, unsigned first_thread, unsigned group);
    WarpGroup* join(Warp&, unsigned mask, Collective, const Where&);
    [[noreturn]] void give_up();
    bool first_time(const Where&);
    void* next_tag();
    std::string whereabouts() const;  ///< ", block 1 of kernel ..., thread 5"

    const Launch* launch_ = nullptr;
    std::vector<CudaThread> threads_;
    std::array<Warp, 32> warps_;
    unsigned size_ = 0;         ///< threads of a block
    unsigned ready_warps_ = 0;  ///< warps with a lane that can run
    unsigned alive_ = 0;        ///< threads that have not returned
    unsigned switches_ = 0;
    bool gave_up_ = false;
    CudaThread* current_ = nullptr;
    Barrier barrier_;
    SharedMemory shared_;
    Random random_;
    bool shuffle_ = true;

    Fibre host_;
    std::vector<std::unique_ptr<Fibre>> fibres_;
    std::vector<Fibre*> idle_;
    std::vector<Where> reported_;  ///< in this launch

    std::unique_ptr<std::uint64_t[]> tags_;  ///< addresses that stand for moments of synchronisation in this block
    unsigned tag_ = 0;
    std::uint64_t start_tag_ = 0, end_tag_ = 0, fence_tag_ = 0;
};

/// The one that runs kernels: threads.hpp reaches it from inside of a kernel, where no object can be passed.
Multiprocessor& multiprocessor();

}  // namespace cuda_emulation
