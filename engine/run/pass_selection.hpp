// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/plan.hpp"
#include "run/sequence.hpp"

namespace mor {

/// Chooses the chunks of each pass: those whose next segments use the same weights, whatever their request and recursion.
class PassSelection {
public:
    /// weights [segments]: equal numbers may share a pass.
    explicit PassSelection(std::vector<int> weights) : weights_(std::move(weights)) {}

    /// Of all groups the one with the most rows, unless a chunk has waited for kPatience passes: then its group. Counts the
    /// pass, and notes in the chunks that they took part in it. There is at least one chunk.
    std::vector<Chunk*> next(std::span<Chunk* const> in_flight);

    /// A chunk that enters now has waited for no pass.
    void enter(Chunk& chunk) const { chunk.waiting_since = passes_; }

    static constexpr int kPatience = 8;

private:
    std::vector<int> weights_;
    std::int64_t passes_ = 0;  ///< counted so far
};

}  // namespace mor
