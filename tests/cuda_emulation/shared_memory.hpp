// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda_emulation/threads.hpp"

namespace cuda_emulation {

/// Shared memory of the block that runs. Every variable gets a place with a gap behind it. All of it starts as 0xff bytes,
/// NaN as floats; gaps that are different at the end, or that AddressSanitizer sees touched, are overruns.
class SharedMemory {
public:
    void start_grid(std::size_t dynamic_bytes);
    void start_block();
    /// Says what was written behind a variable, empty when nothing was.
    std::string end_block();

    void* variable(SharedVariable&, std::size_t bytes, std::size_t alignment);
    void* dynamic() const { return places_[0].memory; }
    std::size_t used() const { return used_; }  ///< bytes of variables and dynamic memory, without gaps
    bool within_limits() const { return static_used_ <= static_limit_; }

private:
    struct Place {
        const char* name = "";
        Where where;
        std::byte* memory = nullptr;
        std::size_t bytes = 0;
    };
    std::byte* place(std::size_t bytes, std::size_t alignment, const char* name, Where);

    std::unique_ptr<std::byte[]> memory_;
    std::byte* arena_ =
        nullptr;  ///< in memory_, at a boundary that fits every variable: places do not depend on where it is
    std::size_t arena_bytes_ = 0;
    std::size_t wanted_ = 0;  ///< what the blocks of this grid need, gaps included, known after the first
    std::size_t end_ = 0;     ///< of the last place, counted from the arena's begin
    std::size_t dynamic_bytes_ = 0, used_ = 0, static_used_ = 0, static_limit_ = 0;
    std::vector<Place> places_;
    std::vector<std::byte> beyond_;  ///< serves variables that don't fit until the block ends
    std::uint64_t block_ = 0;
};

}  // namespace cuda_emulation
