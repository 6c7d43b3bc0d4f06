// SPDX-License-Identifier: Apache-2.0
#include "run/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "mor/error.hpp"

namespace mor {

void check_sampling(const Sampling& s) {
    if (!(s.temperature >= 0.0f && s.temperature <= 100.0f))
        throw Error("temperature: expected 0 to 100, got " + std::to_string(s.temperature));
    if (s.top_k < 0) throw Error("top-k: expected 0 or more, got " + std::to_string(s.top_k));
    if (!(s.top_p > 0.0f && s.top_p <= 1.0f))
        throw Error("top-p: expected more than 0 and at most 1, got " + std::to_string(s.top_p));
}

double Sampler::uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

int Sampler::choose(std::span<const float> logits) {
    if (settings_.temperature == 0.0f)
        return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());

    std::vector<int> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto better = [&](int a, int b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
    const auto keep = settings_.top_k > 0 ? std::min<std::size_t>(settings_.top_k, order.size()) : order.size();
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(), better);
    std::vector<std::pair<int, float>> best;
    best.reserve(keep);
    for (std::size_t i = 0; i < keep; ++i) best.emplace_back(order[i], logits[order[i]]);
    return choose(best).first;
}

int Sampler::candidates() const {
    if (settings_.temperature == 0.0f) return 1;
    return settings_.top_k <= kMostCandidates ? settings_.top_k : 0;
}

std::pair<int, float> Sampler::choose(std::span<const std::pair<int, float>> best) {
    if (settings_.temperature == 0.0f) return best.front();
    const std::size_t keep = best.size();
    std::vector<double> weight(keep);
    for (std::size_t i = 0; i < keep; ++i)
        weight[i] = std::exp((double{best[i].second} - best[0].second) / settings_.temperature);
    double total = std::accumulate(weight.begin(), weight.end(), 0.0);
    if (settings_.top_p < 1.0f) {
        const double wanted = total * settings_.top_p;
        double sum = 0;
        std::size_t n = 0;
        while (n < keep && sum < wanted) sum += weight[n++];
        weight.resize(std::max<std::size_t>(n, 1));
        total = sum;
    }
    double at = uniform() * total;
    for (std::size_t i = 0; i < weight.size(); ++i)
        if ((at -= weight[i]) < 0) return best[i];
    return best[weight.size() - 1];
}

}  // namespace mor
