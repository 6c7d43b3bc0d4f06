// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/shared_memory.hpp"

#include <algorithm>
#include <cstring>

#include "cuda_emulation/multiprocessor.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {
namespace {

constexpr std::size_t kGap = 64;         // bytes behind a variable that nobody may touch
constexpr std::size_t kBoundary = 128;   // of the arena and of dynamic shared memory
constexpr std::size_t kMostPlaces = 64;  // room for the gaps of a first block, whose variables are not known yet
constexpr auto kUntouched = std::byte(0xff);

std::size_t round_up(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

}  // namespace

void SharedMemory::start_grid(std::size_t dynamic_bytes) {
    static_limit_ = settings().static_shared;
    dynamic_bytes_ = dynamic_bytes;
    wanted_ = round_up(dynamic_bytes, kGap) + static_limit_ + (kMostPlaces + 1) * 2 * kGap;
}

void SharedMemory::start_block() {
    ++block_;
    // ThreadSanitizer remembers accesses by address: a block must not seem to race with the one before it.
    if (arena_bytes_ < wanted_ || kThreadSanitizer) {
        if (arena_) unpoison(arena_, arena_bytes_);
        memory_.reset();
        arena_bytes_ = wanted_;
        memory_.reset(new std::byte[arena_bytes_ + kBoundary]);
        const auto start = reinterpret_cast<std::uintptr_t>(memory_.get());
        arena_ = memory_.get() + (round_up(start, kBoundary) - start);
    }
    unpoison(arena_, arena_bytes_);
    std::memset(arena_, int(kUntouched), wanted_);
    poison(arena_, arena_bytes_);
    places_.clear();
    end_ = used_ = static_used_ = 0;
    place(dynamic_bytes_, kBoundary, "dynamic shared memory", {});
}

std::byte* SharedMemory::place(std::size_t bytes, std::size_t alignment, const char* name, Where where) {
    const std::size_t begin = round_up(end_, std::max<std::size_t>(alignment, 16));
    end_ = round_up(begin + bytes, 16) + kGap;
    used_ += bytes;
    std::byte* memory = arena_ + begin;
    unpoison(memory, bytes);
    places_.push_back({name, where, memory, bytes});
    return memory;
}

void* SharedMemory::variable(SharedVariable& variable, std::size_t bytes, std::size_t alignment) {
    if (variable.block == block_) return variable.memory;
    if (places_.size() >= kMostPlaces || static_used_ + bytes > static_limit_) {
        // Reported by within_limits() at the end of the block; until then ordinary memory serves.
        static_used_ = static_limit_ + 1;
        beyond_.resize(std::max(beyond_.size(), bytes));
        return beyond_.data();
    }
    static_used_ = round_up(static_used_, alignment) + bytes;
    variable.block = block_;
    variable.memory = place(bytes, alignment, variable.name, variable.where);
    return variable.memory;
}

std::string SharedMemory::end_block() {
    std::string overrun;
    if (!kAddressSanitizer) {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const std::byte* begin = place.memory + place.bytes;
            const std::byte* end = i + 1 < places_.size() ? places_[i + 1].memory : arena_ + std::min(end_, wanted_);
            const std::byte* touched = std::find_if(begin, end, [](std::byte b) { return b != kUntouched; });
            if (touched == end || !overrun.empty()) continue;
            overrun = "write " + std::to_string(touched - begin) + " bytes behind the end of " + place.name + " (" +
                      std::to_string(place.bytes) + " bytes)";
        }
    }
    wanted_ = end_;
    return overrun;
}

void* shared_memory(SharedVariable& variable, std::size_t bytes, std::size_t alignment) {
    const Unseen unseen;
    return multiprocessor().shared().variable(variable, bytes, alignment);
}

void* dynamic_shared_memory() { return multiprocessor().shared().dynamic(); }

}  // namespace cuda_emulation
