// SPDX-License-Identifier: Apache-2.0
#include "run/row_router.hpp"

#include <algorithm>

#include "run/routing.hpp"

namespace mor {
namespace {

/// Whether TopK selects among the chunk's rows, so that no row can be decided alone.
bool selects_top_k(const Chunk& c) {
    return c.sequence->request.routing.rule == SelectionRule::TopK && !c.sequence->decoding();
}

}  // namespace

void RowRouter::route(std::span<Chunk* const> chunks, std::vector<PassRow>& left) {
    std::vector<Chunk*> waiting;
    for (Chunk* c : chunks) {
        if (c->live.empty() || c->segment == static_cast<int>(plan_.segments.size())) continue;
        const Route route = plan_.segments[c->segment].route;
        if (route == Route::Expert || route == Route::TokenChoice) waiting.push_back(c);
    }
    if (waiting.empty()) return;
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const Chunk* a, const Chunk* b) { return a->segment < b->segment; });

    const Scores scores = ask(waiting);
    const bool token_choice = model_.info.config.mor.routing == Routing::TokenChoice;
    const std::size_t outputs = token_choice ? static_cast<std::size_t>(model_.info.config.mor.num_recursion) : 1;
    std::size_t at = 0;
    for (Chunk* c : waiting) {
        const std::size_t n = c->live.size();
        const auto logits = std::span(scores.main).subspan(at * outputs, n * outputs);
        if (token_choice)
            decide_token_rows(*c, logits);
        else
            decide_expert_rows(*c, logits, scores.aux.empty() ? scores.aux : std::span(scores.aux).subspan(at, n));
        at += n;
    }
    if (token_choice) begin_block_outputs(waiting);
    for (Chunk* c : waiting) take_out(*c, left);
}

/// One routing point for each recursion, or two where there are auxiliary routers.
RowRouter::Scores RowRouter::ask(std::span<Chunk* const> chunks) const {
    const auto outputs = static_cast<std::size_t>(model_.routers.front().outer->out);
    struct Point {
        int recursion;
        std::size_t begin, end;
    };
    std::vector<int> rows;
    std::vector<Point> recursions;
    for (const Chunk* c : chunks) {
        const int recursion = plan_.segments[c->segment].recursion;
        if (recursions.empty() || recursions.back().recursion != recursion)
            recursions.push_back({recursion, rows.size(), rows.size()});
        for (const int i : c->live) rows.push_back(c->rows[i].x);
        recursions.back().end = rows.size();
    }
    Scores scores;
    scores.main.resize(rows.size() * outputs);
    if (!model_.aux_routers.empty()) scores.aux.resize(rows.size());

    std::vector<RoutingPoint> points;
    const auto scale = static_cast<float>(1.0 / model_.info.config.mor.temp);
    for (const auto& [recursion, begin, end] : recursions) {
        const auto those = std::span(rows).subspan(begin, end - begin);
        points.push_back({&model_.routers[recursion], those, scale, scores.main.data() + begin * outputs});
        if (!scores.aux.empty()) points.push_back({&model_.aux_routers[recursion], those, 1, scores.aux.data() + begin});
    }
    model_.backend->route(points, states_.data());
    return scores;
}

void RowRouter::decide_expert_rows(Chunk& c, std::span<const float> logits, std::span<const float> aux) const {
    const Segment& segment = plan_.segments[c.segment];
    const Request& request = c.sequence->request;
    std::vector<int> positions;
    for (const int i : c.live) positions.push_back(c.rows[i].position);
    const ExpertRule rule{model_.info.config.mor, request.routing, segment.recursion, segment.keeps_all_kv};
    const auto decisions =
        decide_expert(rule, positions, logits, aux, selects_top_k(c) ? static_cast<int>(request.prompt.size()) : 0);
    for (std::size_t i = 0; i < c.live.size(); ++i) c.rows[c.live[i]].decisions[segment.recursion] = decisions[i];
}

/// Fixes the rows' whole way.
void RowRouter::decide_token_rows(Chunk& c, std::span<const float> logits) const {
    const MorConfig& config = model_.info.config.mor;
    const auto recursions = static_cast<std::size_t>(config.num_recursion);
    for (std::size_t i = 0; i < c.live.size(); ++i) {
        Row& r = c.rows[c.live[i]];
        r.decisions = decide_token(config, c.sequence->request.routing, r.position,
                                   logits.subspan(i * recursions, recursions), model_.router_bias);
        r.target_depth = static_cast<int>(std::count_if(r.decisions.begin(), r.decisions.end(),
                                                        [](const Decision& d) { return d.outcome == Outcome::Take; }));
    }
}

/// Token choice: the block's running output starts as the state itself.
void RowRouter::begin_block_outputs(std::span<Chunk* const> chunks) {
    std::vector<int> from, to;
    for (const Chunk* c : chunks)
        for (const int i : c->live) {
            from.push_back(c->rows[i].x);
            to.push_back(c->rows[i].y);
        }
    const int width = model_.info.config.llama.hidden_size;
    float* y = y_.room(from.size() * width);
    model_.backend->gather(states_.data(), from, width, y);
    model_.backend->combine(y, to, {}, width, states_.data());
}

void RowRouter::take_out(Chunk& c, std::vector<PassRow>& left) const {
    const int recursion = plan_.segments[c.segment].recursion;
    std::erase_if(c.live, [&](int i) {
        const Row& r = c.rows[i];
        if (r.decisions[recursion].outcome != Outcome::Leave) return false;
        left.push_back({c.sequence->id, r.position, recursion, r.decisions[recursion]});
        return true;
    });
}

}  // namespace mor
