// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "run/row_pool.hpp"
#include "run/sampler.hpp"

namespace mor {

/// What may follow a sequence's newest finished token: what the backend said about its logits and, in a row of a pool in
/// backend memory until somebody asks for it, the logits themselves.
class NextLogits {
public:
    explicit NextLogits(RowPool& rows) : rows_(rows) {}
    ~NextLogits();
    NextLogits(const NextLogits&) = delete;
    NextLogits& operator=(const NextLogits&) = delete;

    /// The pool's row that new logits go to. What was known about those before stays until set() says that they are there.
    int place();

    /// What pick() found in the new logits: at least the sampler's candidates. host [vocab] or empty: a copy of them.
    void set(Pick pick, std::vector<float> host);
    const Pick& pick() const { return pick_; }

    /// The next token and its logit, from the best alone where they are enough.
    std::pair<int, float> choose(Sampler&);

    /// [vocab] on the host, copied when it is asked for first; empty while no token is finished.
    std::span<const float> row();

private:
    RowPool& rows_;
    int place_ = -1;  ///< -1: none
    bool known_ = false;
    Pick pick_;
    std::vector<float> host_;  ///< the row, or empty
};

}  // namespace mor
