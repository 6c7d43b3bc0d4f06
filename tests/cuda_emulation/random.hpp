// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

namespace cuda_emulation {

/// SplitMix64: a few instructions a number, and the same on every machine.
class Random {
public:
    explicit Random(std::uint64_t seed = 0) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    /// 0 to count - 1; count below 2^32
    std::uint64_t below(std::uint64_t count) { return ((*this)() >> 32) * count >> 32; }

private:
    std::uint64_t state_;
};

}  // namespace cuda_emulation
