// SPDX-License-Identifier: Apache-2.0
#include "run/next_logits.hpp"

#include <algorithm>
#include <cmath>

namespace mor {

float* NextLogits::start(int vocab) {
    host_.clear();
    vocab_ = vocab;
    return memory_.room(static_cast<std::size_t>(vocab));
}

std::pair<int, float> NextLogits::choose(Sampler& sampler) {
    const auto candidates = static_cast<std::size_t>(std::min(sampler.candidates(), vocab_));
    // Where a logit is infinite or not a number, the row alone says what the sampler makes of it.
    if (candidates > 0 && candidates <= pick_.top.size() && std::isfinite(pick_.log_sum_exp))
        return sampler.choose(std::span(pick_.top).first(candidates));
    const auto logits = row();
    const int token = sampler.choose(logits);
    return {token, logits[static_cast<std::size_t>(token)]};
}

std::span<const float> NextLogits::row() {
    if (host_.empty() && vocab_ > 0) {
        std::vector<float> copy(static_cast<std::size_t>(vocab_));
        backend_->download(memory_.data(), copy.size(), copy.data());
        host_ = std::move(copy);
    }
    return host_;
}

void NextLogits::end() {
    row();
    memory_.release();
}

}  // namespace mor
