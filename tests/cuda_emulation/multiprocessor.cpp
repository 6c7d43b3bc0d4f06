// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/multiprocessor.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/report.hpp"

namespace cuda_emulation {
namespace {

// Rarely enough that the lanes of a warp mostly run together, whose stacks are then in the cache.
constexpr std::uint64_t kChangeWarp = 16;
constexpr unsigned kTags = 512;
// Under ThreadSanitizer, threads of different blocks that share a fibre are never seen to race: many fibres make that rare.
constexpr std::size_t kLeastFibres = kThreadSanitizer ? 64 : 1;

}  // namespace

Registers registers;

Multiprocessor& multiprocessor() {
    static auto* one = new Multiprocessor;
    return *one;
}

void Multiprocessor::seed(std::uint64_t value, bool shuffle) {
    random_ = Random(value);
    shuffle_ = shuffle;
}

bool Multiprocessor::run(const Launch& launch) {
    const Unseen unseen;
    launch_ = &launch;
    gave_up_ = false;
    reported_.clear();
    host_.adopt_thread();
    registers.block_size = launch.block;
    registers.grid_size = launch.grid;
    size_ = launch.block.x * launch.block.y * launch.block.z;
    current_ = nullptr;  // a larger block moves the threads
    threads_.resize(std::max<std::size_t>(threads_.size(), size_));
    shared_.start_grid(launch.shared);
    const std::uint64_t blocks = std::uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z;
    // A stride without a common divisor visits every block once, in an order that needs no list.
    std::uint64_t stride = 1, first = 0;
    if (shuffle_ && blocks > 1) {
        first = random_.below(blocks);
        do {
            stride = 1 + random_.below(blocks - 1);
        } while (std::gcd(stride, blocks) != 1);
    }
    for (std::uint64_t i = 0, at = first; i < blocks && !gave_up_; ++i, at = (at + stride) % blocks) {
        const unsigned x = unsigned(at % launch.grid.x), y = unsigned(at / launch.grid.x % launch.grid.y);
        run_block({x, y, unsigned(at / launch.grid.x / launch.grid.y)});
    }
    acquire(&end_tag_);
    count([&](Statistics& all) {
        ++all.launches, all.blocks += blocks, all.threads += blocks * size_, all.switches += switches_;
        switches_ = 0;
    });
    return !gave_up_;
}

void Multiprocessor::run_block(uint3 index) {
    registers.block = index;
    shared_.start_block();
    start_threads();
    if (kThreadSanitizer) tags_.reset(new std::uint64_t[kTags]());
    tag_ = 0;
    barrier_ = {};
    barrier_.tag = next_tag();
    release(&start_tag_);
    CudaThread* first = draw();
    go_on_with(*first, host_);
    if (alive_ > 0 && !gave_up_) report_deadlock();
    end_block();
}

void Multiprocessor::start_threads() {
    alive_ = size_;
    ready_warps_ = 0;
    uint3 index{};
    for (unsigned i = 0; i < size_; ++i) {
        CudaThread& thread = threads_[i];
        thread.fibre = nullptr;
        thread.index = index;
        thread.warp = i / 32;
        thread.lane = i % 32;
        if (++index.x == launch_->block.x) index.x = 0, ++index.y;
        if (index.y == launch_->block.y) index.y = 0, ++index.z;
    }
    for (unsigned warp = 0; warp * 32 < size_; ++warp) {
        const unsigned lanes = std::min(size_ - warp * 32, 32u);
        warps_[warp].ready = ~0u >> (32 - lanes);
        warps_[warp].exited = ~warps_[warp].ready;
        warps_[warp].groups = 0;
        ready_warps_ |= 1u << warp;
    }
}

void Multiprocessor::end_block() {
    if (gave_up_ && !kThreadSanitizer) {
        // Threads that never returned keep their fibres' stacks: those are of no use any more. ThreadSanitizer would
        // complain about what such a thread began and did not end, so there they stay.
        for (unsigned i = 0; i < size_; ++i) {
            if (Fibre* lost = threads_[i].fibre) {
                std::erase_if(fibres_, [lost](const auto& fibre) { return fibre.get() == lost; });
            }
        }
    }
    const std::string overrun = shared_.end_block();
    if (!overrun.empty()) fault("shared memory: %s%s", overrun.c_str(), whereabouts().c_str());
    if (!shared_.within_limits()) {
        fault("shared memory: the variables of the kernel launched at %s take more than %zu bytes",
              place(launch_->where).c_str(), settings().static_shared);
        gave_up_ = true;
    }
    if (!overrun.empty()) gave_up_ = true;
}

// --- choosing who runs

unsigned Multiprocessor::draw_bit(unsigned set, std::uint64_t random) const {
    if (!shuffle_) return unsigned(std::countr_zero(set));
    const unsigned turn = unsigned(random & 31);
    return (unsigned(std::countr_zero(std::rotr(set, int(turn)))) + turn) & 31;
}

CudaThread* Multiprocessor::draw() {
    if (!ready_warps_) return nullptr;
    const std::uint64_t random = random_();
    unsigned warp = current_ ? current_->warp : 0;
    const bool change = random % kChangeWarp == 0 || !shuffle_;
    if (change || !(ready_warps_ >> warp & 1)) warp = draw_bit(ready_warps_, random >> 8);
    const unsigned lane = draw_bit(warps_[warp].ready, random >> 16);
    warps_[warp].ready &= ~(1u << lane);
    if (!warps_[warp].ready) ready_warps_ &= ~(1u << warp);
    return &threads_[warp * 32 + lane];
}

void Multiprocessor::enter(CudaThread& thread) {
    current_ = &thread;
    registers.thread = thread.index;
    registers.lane = thread.lane;
}

void Multiprocessor::go_on_with(CudaThread& next, Fibre& from) {
    if (!next.fibre) next.fibre = idle_fibre();
    enter(next);
    ++switches_;
    next.fibre->resume(from);
}

Fibre* Multiprocessor::idle_fibre() {
    while (fibres_.size() < kLeastFibres || idle_.empty()) {
        fibres_.push_back(std::make_unique<Fibre>(&Multiprocessor::fibre_main, unsigned(fibres_.size())));
        idle_.push_back(fibres_.back().get());
    }
    if (kThreadSanitizer) std::swap(idle_[random_.below(idle_.size())], idle_.back());
    Fibre* fibre = idle_.back();
    idle_.pop_back();
    return fibre;
}

void Multiprocessor::fibre_main() { multiprocessor().run_threads(); }

void Multiprocessor::run_threads() {
    for (;;) {
        acquire(&start_tag_);
        launch_->thread();
        release(&end_tag_);
        finish();
    }
}

/// The running thread returned. Comes back when its fibre has another thread to run, a fresh one, at once or later.
void Multiprocessor::finish() {
    const Unseen unseen;
    Fibre* fibre = current_->fibre;
    current_->fibre = nullptr;
    leave_block(*current_);
    CudaThread* next = draw();
    if (next && !next->fibre && !kThreadSanitizer) {
        next->fibre = fibre;
        enter(*next);
        return;
    }
    if (next && !next->fibre) next->fibre = idle_fibre();  // another one than this
    idle_.push_back(fibre);
    if (next) {
        go_on_with(*next, *fibre);
    } else {
        host_.resume(*fibre);
    }
}

void Multiprocessor::wait() {
    CudaThread& self = *current_;
    CudaThread* next = draw();
    if (!next) {
        host_.resume(*self.fibre);
    } else if (next == &self) {
        enter(self);
    } else {
        go_on_with(*next, *self.fibre);
    }
}

// --- mistakes

void Multiprocessor::give_up() {
    gave_up_ = true;
    host_.resume(*current_->fibre);
    std::abort();  // nobody resumes a thread of a kernel that was given up
}

bool Multiprocessor::first_time(const Where& where) {
    const bool seen = std::any_of(reported_.begin(), reported_.end(), [&](const Where& old) { return same(old, where); });
    if (!seen) reported_.push_back(where);
    return !seen;
}

std::string Multiprocessor::whereabouts() const {
    const uint3 b = registers.block, t = registers.thread;
    char text[160];
    std::snprintf(text, sizeof(text), ", block (%u, %u, %u), thread (%u, %u, %u)", b.x, b.y, b.z, t.x, t.y, t.z);
    return text + (", of the kernel launched at " + place(launch_->where));
}

void Multiprocessor::report_deadlock() {
    gave_up_ = true;
    std::string waiting;
    if (barrier_.arrived) {
        waiting = std::to_string(barrier_.arrived) + " threads at __syncthreads, " + place(barrier_.where);
    }
    for (unsigned w = 0; w * 32 < size_; ++w) {
        for (unsigned g = 0; g < warps_[w].groups; ++g) {
            const WarpGroup& group = warps_[w].group[g];
            waiting += (waiting.empty() ? "" : "; ") + std::to_string(std::popcount(group.arrived)) + " lanes of warp " +
                       std::to_string(w) + " at a warp collective, " + place(group.where);
        }
    }
    fault("deadlock: %s%s", waiting.c_str(), whereabouts().c_str());
}

void* Multiprocessor::next_tag() { return kThreadSanitizer ? &tags_[tag_++ % kTags] : nullptr; }

}  // namespace cuda_emulation
