// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "run/backend_buffer.hpp"
#include "run/forward.hpp"

namespace mor {

/// A state whose logits somebody needs.
struct HeadRow {
    int state = 0;       ///< row of the state pool
    int best = 0;        ///< how many of the best tokens are asked for
    int wanted = -1;     ///< token whose logit is asked for: the one known to follow; -1: none
    bool whole = false;  ///< all logits are asked for, on the host
    int keep = -1;       ///< row of the pool of kept logits that they are copied to; -1: none
};

/// What the head said about one.
struct HeadAnswer {
    Pick pick;
    std::vector<float> logits;  ///< [V], where all were asked for
};

/// Norm, head and picks of all rows that need them, whatever their requests: the head's weights are read, and the device is
/// waited for, once for kMostRows of them.
class HeadReader {
public:
    /// `kept` is the pool [.., V] that HeadRow::keep means.
    HeadReader(const ModelParts& model, ForwardPass& forward, RowPool& kept)
        : model_(model), forward_(forward), kept_(kept), logits_(model.backend) {}

    std::vector<HeadAnswer> read(std::span<const HeadRow> rows);

    void release_memory() { logits_.release(); }

    static constexpr int kMostRows = 64;  ///< logits of so many rows are in memory at once

private:
    void read_some(std::span<const HeadRow> rows, std::vector<HeadAnswer>& answers);

    const ModelParts& model_;
    ForwardPass& forward_;
    RowPool& kept_;
    BackendBuffer logits_;
};

}  // namespace mor
