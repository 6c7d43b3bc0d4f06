// SPDX-License-Identifier: Apache-2.0
#include "run/pass_selection.hpp"

#include <algorithm>
#include <map>

namespace mor {

std::vector<Chunk*> PassSelection::next(std::span<Chunk* const> ready) {
    std::vector<Chunk*> oldest_first(ready.begin(), ready.end());
    std::stable_sort(oldest_first.begin(), oldest_first.end(),
                     [](const Chunk* a, const Chunk* b) { return a->waiting_since < b->waiting_since; });
    struct Group {
        std::vector<Chunk*> chunks;
        double bytes = 0;
        std::size_t rows = 0;
        int prompts = 0;
    };
    std::map<int, Group> groups;
    std::size_t rows = 0;
    for (Chunk* c : oldest_first) {
        rows += c->live.size();
        Group& group = groups[segments_[c->segment].group];
        if (c->rows.size() > 1 && group.prompts++ >= kPrompts) continue;
        group.chunks.push_back(c);
        group.bytes = std::max(group.bytes, segments_[c->segment].bytes);
        group.rows += c->live.size();
    }
    const Chunk& oldest = *oldest_first.front();
    const auto wasted = [&](const auto& group) {
        return group.second.bytes * static_cast<double>(rows - group.second.rows);
    };
    const auto cheapest =
        std::min_element(groups.begin(), groups.end(), [&](auto& a, auto& b) { return wasted(a) < wasted(b); });
    const bool waited = passes_ - oldest.waiting_since > kPatience;
    auto chosen = std::move(waited ? groups[segments_[oldest.segment].group].chunks : cheapest->second.chunks);
    ++passes_;
    for (Chunk* c : chosen) c->waiting_since = passes_;
    std::sort(chosen.begin(), chosen.end(),
              [](const Chunk* a, const Chunk* b) { return a->sequence->id < b->sequence->id; });
    return chosen;
}

}  // namespace mor
