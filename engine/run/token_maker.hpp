// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/parts.hpp"
#include "run/sequence.hpp"

namespace mor {

/// Makes the record of a row that has been through the model.
class TokenMaker {
public:
    TokenMaker(const ModelParts& model, const Plan& plan) : model_(model), plan_(plan) {}

    /// Everything but what the logits say. Rows come in position order, since the text is decoded on the way. `head`:
    /// logits were computed for the row.
    FinishedToken make(Sequence&, Row&, bool head) const;

    /// The best of a row of logits with their names; at most `most`.
    std::vector<Alternative> alternatives(const Pick&, int most) const;

private:
    std::string label(int token) const;

    const ModelParts& model_;
    const Plan& plan_;
};

}  // namespace mor
