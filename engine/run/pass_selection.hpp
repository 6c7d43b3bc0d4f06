// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/plan.hpp"
#include "run/sequence.hpp"

namespace mor {

/// Chooses the chunks of each pass: those whose next segments use the same weights, whatever their request and recursion.
///
/// A pass reads weights that rows elsewhere would have used as well, had they been there. The group goes first for which
/// that is least: bytes of its weights times live rows in other groups. So the thin segments outside the recursions bring
/// rows back to the shared block before it runs, where rows of several recursions fill it together, and the head waits for
/// company.
class PassSelection {
public:
    /// What a segment's weights are, for this purpose.
    struct Weights {
        int group = 0;     ///< segments with equal groups may share a pass
        double bytes = 0;  ///< that a pass reads, whatever the number of rows
    };

    explicit PassSelection(std::vector<Weights> segments) : segments_(std::move(segments)) {}

    /// The cheapest group in the sense above, unless a chunk has waited for kPatience passes: then its group. So nobody
    /// waits for more than kPatience passes and one for each other group and each kPrompts prompts in front. Counts the
    /// pass, and notes in the chunks that they took part in it. `ready` is not empty.
    std::vector<Chunk*> next(std::span<Chunk* const> ready);

    /// A chunk that enters now has waited for no pass.
    void enter(Chunk& chunk) const { chunk.waiting_since = passes_; }

    static constexpr int kPatience = 8;
    static constexpr int kPrompts = 8;  ///< chunks of several rows in a pass, at most: bounds its memory and its time

private:
    std::vector<Weights> segments_;
    std::int64_t passes_ = 0;  ///< counted so far
};

}  // namespace mor
