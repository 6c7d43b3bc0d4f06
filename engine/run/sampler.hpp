// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <span>

#include "mor/settings.hpp"

namespace mor {

/// Throws Error when a field is out of range.
void check_sampling(const Sampling&);

/// Chooses tokens from logits. Copyable: a copy goes on with the same random numbers.
class Sampler {
public:
    explicit Sampler(const Sampling& settings) : settings_(settings), random_(settings.seed) {}

    /// Greedy at temperature 0 (ties to the lower token); else top-k, then top-p, then a draw from softmax(l / t).
    int choose(std::span<const float> logits);

private:
    double uniform();  ///< [0, 1), the same on every machine

    Sampling settings_;
    std::mt19937_64 random_;
};

}  // namespace mor
