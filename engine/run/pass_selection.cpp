// SPDX-License-Identifier: Apache-2.0
#include "run/pass_selection.hpp"

#include <algorithm>
#include <map>

namespace mor {

std::vector<Chunk*> PassSelection::next(std::span<Chunk* const> in_flight) {
    struct Group {
        std::vector<Chunk*> chunks;
        std::size_t rows = 0;
    };
    std::map<int, Group> groups;
    const Chunk* oldest = in_flight.front();
    for (Chunk* c : in_flight) {
        Group& group = groups[weights_[c->segment]];
        group.chunks.push_back(c);
        group.rows += c->live.size();
        if (c->waiting_since < oldest->waiting_since) oldest = c;
    }
    const auto fullest =
        std::max_element(groups.begin(), groups.end(), [](auto& a, auto& b) { return a.second.rows < b.second.rows; });
    const bool waited = passes_ - oldest->waiting_since > kPatience;
    auto chosen = std::move(waited ? groups[weights_[oldest->segment]].chunks : fullest->second.chunks);
    ++passes_;
    for (Chunk* c : chosen) c->waiting_since = passes_;
    return chosen;
}

}  // namespace mor
