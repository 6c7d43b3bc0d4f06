// SPDX-License-Identifier: Apache-2.0
#include "run/next_logits.hpp"

#include <algorithm>
#include <cmath>

namespace mor {

NextLogits::~NextLogits() {
    if (place_ >= 0) rows_.give({place_});
}

int NextLogits::place() {
    if (place_ < 0) place_ = rows_.take(1).front();
    return place_;
}

void NextLogits::set(Pick pick, std::vector<float> host) {
    pick_ = std::move(pick);
    host_ = std::move(host);
    known_ = true;
}

std::pair<int, float> NextLogits::choose(Sampler& sampler) {
    const auto candidates = static_cast<std::size_t>(std::min(sampler.candidates(), rows_.width()));
    // Where a logit is infinite or not a number, the row alone says what the sampler makes of it.
    if (candidates > 0 && candidates <= pick_.top.size() && std::isfinite(pick_.log_sum_exp))
        return sampler.choose(std::span(pick_.top).first(candidates));
    const auto logits = row();
    const int token = sampler.choose(logits);
    return {token, logits[static_cast<std::size_t>(token)]};
}

std::span<const float> NextLogits::row() {
    if (host_.empty() && known_) host_ = rows_.row(place_);
    return host_;
}

}  // namespace mor
