// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "run/backend_buffer.hpp"
#include "run/sampler.hpp"

namespace mor {

/// What may follow a sequence's newest finished token: what the backend said about its logits and, in backend memory
/// until somebody asks for it, the row itself.
class NextLogits {
public:
    explicit NextLogits(std::shared_ptr<Backend> backend) : backend_(backend), memory_(std::move(backend)) {}

    /// Room in backend memory for a new row; what was known about the one before is forgotten.
    float* start(int vocab);

    /// What pick() found in the row: at least the sampler's candidates.
    void set_pick(Pick pick) { pick_ = std::move(pick); }
    const Pick& pick() const { return pick_; }

    /// The next token and its logit, from the best alone where they are enough.
    std::pair<int, float> choose(Sampler&);

    /// [vocab] on the host, copied when it is asked for first; empty while no token is finished.
    std::span<const float> row();

    /// The text has ended: keeps the row on the host and gives backend memory back.
    void end();

private:
    std::shared_ptr<Backend> backend_;
    BackendBuffer memory_;
    int vocab_ = 0;  ///< 0: no row
    Pick pick_;
    std::vector<float> host_;  ///< the row, or empty
};

}  // namespace mor
