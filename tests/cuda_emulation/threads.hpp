// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <type_traits>

#include "cuda_emulation/types.hpp"

/// What the threads of a block share: their indices, barriers, warp collectives and shared memory.
namespace cuda_emulation {

/// The special registers of the running thread; the scheduler sets them before it switches.
struct Registers {
    uint3 thread, block;
    dim3 block_size, grid_size;
    unsigned lane;
};
extern Registers registers;

enum class Collective { Sync, Ballot, Shuffle };

/// Waits for all threads of the block; the number of those whose predicate is not zero.
int barrier(int predicate, const Where&);

/// Waits for the lanes of the mask. Ballot: the lanes whose value is not zero. Shuffle: the value of lane `source`.
std::uint64_t collective(Collective, unsigned mask, std::uint64_t value, unsigned source, const Where&);

/// Orders this thread's memory accesses before the fence with those of others behind theirs.
void fence();

/// One GPU_SHARED declaration. Inside a block every thread gets the same memory for it.
struct SharedVariable {
    const char* name;
    Where where = Where::current();
    std::uint64_t block = 0;  ///< the block it was last given memory in, counted over all launches
    void* memory = nullptr;
};
void* shared_memory(SharedVariable&, std::size_t bytes, std::size_t alignment);
void* dynamic_shared_memory();

template <class T>
T shuffle(unsigned mask, T value, unsigned source, const Where& where) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = collective(Collective::Shuffle, mask, bits, source, where);
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

}  // namespace cuda_emulation

#define threadIdx (::cuda_emulation::registers.thread)
#define blockIdx (::cuda_emulation::registers.block)
#define blockDim (::cuda_emulation::registers.block_size)
#define gridDim (::cuda_emulation::registers.grid_size)
inline constexpr int warpSize = 32;

#define GPU_SHARED(T, name, extent)                                        \
    using name##_shared_type = T extent;                                   \
    static ::cuda_emulation::SharedVariable name##_shared_variable{#name}; \
    auto& name = *static_cast<name##_shared_type*>(                        \
        ::cuda_emulation::shared_memory(name##_shared_variable, sizeof(name##_shared_type), alignof(name##_shared_type)))
#define GPU_DYN_SHARED(T, name) T* name = static_cast<T*>(::cuda_emulation::dynamic_shared_memory())

inline void __syncthreads(cuda_emulation::Where where = cuda_emulation::Where::current()) {
    cuda_emulation::barrier(0, where);
}
inline int __syncthreads_count(int predicate, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::barrier(predicate, where);
}
inline int __syncthreads_or(int predicate, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::barrier(predicate, where) > 0;
}
inline int __syncthreads_and(int predicate, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return cuda_emulation::barrier(predicate == 0, where) == 0;
}
inline void __threadfence() { cuda_emulation::fence(); }
inline void __threadfence_block() { cuda_emulation::fence(); }

inline void __syncwarp(unsigned mask = ~0u, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    cuda_emulation::collective(cuda_emulation::Collective::Sync, mask, 0, 0, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return unsigned(cuda_emulation::collective(cuda_emulation::Collective::Ballot, mask, predicate != 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return __ballot_sync(mask, predicate, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, cuda_emulation::Where where = cuda_emulation::Where::current()) {
    return __ballot_sync(mask, predicate == 0, where) == 0;
}

/// A lane outside the segment of `width` lanes keeps its own value.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              cuda_emulation::Where where = cuda_emulation::Where::current()) {
    const unsigned segment = cuda_emulation::registers.lane & ~unsigned(width - 1);
    return cuda_emulation::shuffle(mask, value, segment + (unsigned(source) & unsigned(width - 1)), where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                 cuda_emulation::Where where = cuda_emulation::Where::current()) {
    const unsigned lane = cuda_emulation::registers.lane, place = lane & unsigned(width - 1);
    return cuda_emulation::shuffle(mask, value, distance > place ? lane : lane - distance, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                   cuda_emulation::Where where = cuda_emulation::Where::current()) {
    const unsigned lane = cuda_emulation::registers.lane, place = lane & unsigned(width - 1);
    return cuda_emulation::shuffle(mask, value, place + distance >= unsigned(width) ? lane : lane + distance, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  cuda_emulation::Where where = cuda_emulation::Where::current()) {
    const unsigned lane = cuda_emulation::registers.lane, last = lane | unsigned(width - 1), other = lane ^ unsigned(lanes);
    return cuda_emulation::shuffle(mask, value, other > last ? lane : other, where);
}
