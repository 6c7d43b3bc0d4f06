// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <span>
#include <utility>

#include "mor/settings.hpp"

namespace mor {

/// Throws Error when a field is out of range.
void check_sampling(const Sampling&);

/// With more candidates than this, finding them costs more than looking at the whole row.
inline constexpr int kMostCandidates = 128;

/// Chooses tokens from logits. Copyable: a copy goes on with the same random numbers.
class Sampler {
public:
    explicit Sampler(const Sampling& settings) : settings_(settings), random_(settings.seed) {}

    /// Greedy at temperature 0 (ties to the lower token); else top-k, then top-p, then a draw from softmax(l / t).
    int choose(std::span<const float> logits);

    /// How many of the best tokens are enough to choose from, or 0: the whole row is needed.
    int candidates() const;

    /// The same choice from the candidates alone, (token, logit), best first, ties to the lower token; not empty.
    std::pair<int, float> choose(std::span<const std::pair<int, float>> best);

private:
    double uniform();  ///< [0, 1), the same on every machine

    Sampling settings_;
    std::mt19937_64 random_;
};

}  // namespace mor
