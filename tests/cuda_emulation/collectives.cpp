// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "cuda_emulation/multiprocessor.hpp"
#include "cuda_emulation/report.hpp"

/// Barriers, warp collectives and fences: who waits for whom, and what orders memory. A barrier and __syncwarp do, shuffles
/// and ballots don't.
namespace cuda_emulation {

// --- the barrier of a block

int Multiprocessor::barrier(int predicate, const Where& where) {
    const Unseen unseen;
    if (barrier_.arrived == 0) barrier_.where = where;
    if (!same(barrier_.where, where)) {
        fault("divergent barrier: some threads are at __syncthreads, %s, others at %s%s", place(barrier_.where).c_str(),
              place(where).c_str(), whereabouts().c_str());
        give_up();
    }
    if (alive_ < size_) {
        fault("divergent barrier: __syncthreads, %s, when %u threads of the block have returned%s", place(where).c_str(),
              size_ - alive_, whereabouts().c_str());
        give_up();
    }
    ++barrier_.arrived;
    barrier_.count += predicate != 0;
    void* tag = barrier_.tag;
    release(tag);
    if (barrier_.arrived == size_) pass_barrier();
    wait();
    acquire(tag);
    return barrier_.result;  // the next one can't be passed before this thread arrives there
}

void Multiprocessor::pass_barrier() {
    barrier_.result = barrier_.count;
    barrier_.arrived = 0;
    barrier_.count = 0;
    barrier_.tag = next_tag();
    for (unsigned warp = 0; warp * 32 < size_; ++warp) {
        warps_[warp].ready = ~warps_[warp].exited;
        ready_warps_ |= 1u << warp;
    }
}

void Multiprocessor::leave_block(CudaThread& thread) {
    --alive_;
    Warp& warp = warps_[thread.warp];
    warp.exited |= 1u << thread.lane;
    if (barrier_.arrived) {
        fault("divergent barrier: %u threads wait at __syncthreads, %s, and another one returned%s", barrier_.arrived,
              place(barrier_.where).c_str(), whereabouts().c_str());
        gave_up_ = true;
        ready_warps_ = 0;  // nobody else runs
        return;
    }
    for (unsigned g = warp.groups; g-- > 0;) {
        if ((warp.group[g].mask & ~warp.exited & ~warp.group[g].arrived) == 0) complete(warp, thread.warp * 32, g);
    }
}

// --- warp collectives

/// The group of lanes that meets with this mask, or null after a fault.
WarpGroup* Multiprocessor::join(Warp& warp, unsigned mask, Collective kind, const Where& where) {
    for (unsigned g = 0; g < warp.groups; ++g) {
        WarpGroup& group = warp.group[g];
        if (!(group.mask & mask)) continue;
        if (group.mask == mask && group.kind == kind && same(group.where, where)) return &group;
        fault("warp collective at %s with mask %08x, while lanes wait at %s with mask %08x%s", place(where).c_str(), mask,
              place(group.where).c_str(), group.mask, whereabouts().c_str());
        return nullptr;
    }
    WarpGroup& group = warp.group[warp.groups++];
    group = {mask, 0, kind, where, kind == Collective::Sync ? next_tag() : nullptr};
    return &group;
}

std::uint64_t Multiprocessor::collective(Collective kind, unsigned mask, std::uint64_t value, unsigned source,
                                         const Where& where) {
    const Unseen unseen;
    CudaThread& self = *current_;
    Warp& warp = warps_[self.warp];
    const unsigned lane = 1u << self.lane;
    if (!(mask & lane)) {
        fault("warp collective at %s: mask %08x leaves out lane %u, which calls it%s", place(where).c_str(), mask,
              self.lane, whereabouts().c_str());
        give_up();
    }
    WarpGroup* group = join(warp, mask, kind, where);
    if (!group) give_up();
    self.value = value;
    self.source = source;
    group->arrived |= lane;
    void* tag = group->tag;
    if (tag) release(tag);
    if ((mask & ~warp.exited & ~group->arrived) == 0) complete(warp, self.warp * 32, unsigned(group - warp.group.data()));
    wait();
    if (tag) acquire(tag);
    return self.result;
}

void Multiprocessor::complete(Warp& warp, unsigned first_thread, unsigned g) {
    const WarpGroup group = warp.group[g];
    warp.group[g] = warp.group[--warp.groups];
    unsigned ballot = 0;
    for (unsigned left = group.arrived; left; left &= left - 1) {
        const unsigned lane = unsigned(std::countr_zero(left));
        ballot |= unsigned(threads_[first_thread + lane].value != 0) << lane;
    }
    for (unsigned left = group.arrived; left; left &= left - 1) {
        CudaThread& thread = threads_[first_thread + unsigned(std::countr_zero(left))];
        if (group.kind != Collective::Shuffle) {
            thread.result = ballot;
        } else if (group.arrived >> thread.source & 1) {
            thread.result = threads_[first_thread + thread.source].value;
        } else {
            thread.result = ~std::uint64_t(0);  // undefined on the device; NaN here
            if (first_time(group.where)) {
                fault("shuffle at %s: lane %u reads lane %u, which does not take part (mask %08x, %08x of it here)%s",
                      place(group.where).c_str(), thread.lane, thread.source & 31, group.mask, group.arrived,
                      whereabouts().c_str());
            }
        }
    }
    warp.ready |= group.arrived;
    ready_warps_ |= 1u << (first_thread / 32);
}

/// Every fence comes after all earlier ones. On the device that takes an atomic between them, so this orders a little more
/// than CUDA promises; an absent fence is still seen.
void Multiprocessor::fence() {
    acquire(&fence_tag_);
    release(&fence_tag_);
}

// --- what kernels call

int barrier(int predicate, const Where& where) { return multiprocessor().barrier(predicate, where); }

std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, unsigned source, const Where& where) {
    return multiprocessor().collective(kind, mask, value, source, where);
}

void fence() { multiprocessor().fence(); }

}  // namespace cuda_emulation
