// SPDX-License-Identifier: Apache-2.0
#include "run/row_router.hpp"

#include <algorithm>

#include "run/routing.hpp"

namespace mor {
namespace {

/// Calls f(chunks of one segment, segment) for chunks in order.
template <class F>
void for_segments(std::span<Chunk* const> chunks, const Plan& plan, F&& f) {
    for (std::size_t begin = 0, end; begin < chunks.size(); begin = end) {
        const int segment = chunks[begin]->segment;
        for (end = begin; end < chunks.size() && chunks[end]->segment == segment;) ++end;
        f(chunks.subspan(begin, end - begin), plan.segments[segment]);
    }
}

/// Whether TopK selects among the chunk's rows, so that no row can be decided alone.
bool selects_top_k(const Chunk& c) {
    return c.sequence->request.routing.rule == SelectionRule::TopK && !c.sequence->decoding();
}

}  // namespace

bool RowRouter::route(std::span<Chunk* const> chunks) {
    if (knows_cuts(chunks)) {
        route_by_cuts(chunks);
        return true;
    }
    for_segments(chunks, plan_, [&](std::span<Chunk* const> same, const Segment& segment) {
        if (segment.route == Route::Expert) route_expert(same);
        if (segment.route == Route::TokenChoice) route_tokens(same);
    });
    return false;
}

void RowRouter::note(std::span<Chunk* const> chunks, PassRecord& record) const {
    for (const Chunk* c : chunks) {
        const int recursion = plan_.segments[c->segment].recursion;
        for (const int i : c->live) {
            const Row& r = c->rows[i];
            record.rows.push_back({c->sequence->id, r.position, recursion,
                                   r.decisions.empty() || recursion < 0 ? Decision{} : r.decisions[recursion]});
        }
    }
}

/// Whether each row can be decided from its own score, so that the backend may gather those taken before the host knows
/// which. Token choice reads its depth from one routing point for all recursions and stays with the host.
bool RowRouter::knows_cuts(std::span<Chunk* const> chunks) const {
    return std::all_of(chunks.begin(), chunks.end(), [&](const Chunk* c) {
        return plan_.segments[c->segment].route == Route::Expert && !selects_top_k(*c);
    });
}

/// All routing points of the pass at once. The host decides as ever, from the scores; what the backend did with the cuts is
/// the same, row by row.
void RowRouter::route_by_cuts(std::span<Chunk* const> chunks) {
    const MorConfig& config = model_.info.config.mor;
    std::vector<RoutingPoint> points;
    std::vector<int> states;
    std::vector<RoutingCut> cuts;
    std::size_t rest = 0;
    for_segments(chunks, plan_, [&](std::span<Chunk* const> same, const Segment& segment) {
        const std::size_t before = states.size(), recursion = static_cast<std::size_t>(segment.recursion);
        for (const Chunk* c : same) {
            const ExpertRule rule{config, c->sequence->request.routing, segment.recursion, segment.keeps_all_kv};
            for (const int i : c->live) {
                states.push_back(c->rows[i].x);
                cuts.push_back(expert_cut(rule, c->rows[i].position));
            }
        }
        points.push_back({&model_.routers[recursion], model_.aux_routers.empty() ? nullptr : &model_.aux_routers[recursion],
                          static_cast<int>(states.size() - before)});
        if (!segment.keeps_all_kv) rest = states.size();
    });
    const std::size_t n = states.size();
    std::vector<float> scores(model_.aux_routers.empty() ? n : 2 * n);
    const RouteTask task{points, states, cuts, static_cast<int>(rest), static_cast<float>(1.0 / config.temp)};
    model_.backend->route(task, states_.data(), model_.info.config.llama.hidden_size,
                          y_.room(n * model_.info.config.llama.hidden_size), scores);
    const std::span<const float> logits(scores.data(), n), aux(scores.data() + n, scores.size() - n);
    std::size_t at = 0;
    for (Chunk* c : chunks) {
        decide(*c, logits.subspan(at, c->live.size()), aux.empty() ? aux : aux.subspan(at, c->live.size()));
        at += c->live.size();
    }
}

/// The plain composition, for rows that are decided together: routers, the host's decisions; the pass gathers.
void RowRouter::route_expert(std::span<Chunk* const> chunks) {
    const Segment& segment = plan_.segments[chunks.front()->segment];
    const MorConfig& config = model_.info.config.mor;
    std::vector<int> states;
    for (const Chunk* c : chunks)
        for (const int i : c->live) states.push_back(c->rows[i].x);

    std::vector<float> logits(states.size()), aux;
    const auto scale = static_cast<float>(1.0 / config.temp);
    model_.backend->router(model_.routers[segment.recursion], states_.data(), states, scale, logits.data());
    if (!model_.aux_routers.empty()) {
        aux.resize(states.size());
        model_.backend->router(model_.aux_routers[segment.recursion], states_.data(), states, 1.0f, aux.data());
    }

    std::size_t at = 0;
    for (Chunk* c : chunks) {
        const std::size_t n = c->live.size();
        decide(*c, std::span(logits).subspan(at, n),
               aux.empty() ? std::span<const float>{} : std::span<const float>(aux).subspan(at, n));
        at += n;
    }
}

/// What the routers' outputs [live rows] mean for a chunk's rows.
void RowRouter::decide(Chunk& c, std::span<const float> logits, std::span<const float> aux) {
    const Segment& segment = plan_.segments[c.segment];
    const Request& request = c.sequence->request;
    std::vector<int> positions;
    for (const int i : c.live) positions.push_back(c.rows[i].position);
    const ExpertRule rule{model_.info.config.mor, request.routing, segment.recursion, segment.keeps_all_kv};
    const auto decisions =
        decide_expert(rule, positions, logits, aux, selects_top_k(c) ? static_cast<int>(request.prompt.size()) : 0);
    for (std::size_t i = 0; i < c.live.size(); ++i) c.rows[c.live[i]].decisions[segment.recursion] = decisions[i];
}

void RowRouter::route_tokens(std::span<Chunk* const> chunks) {
    const MorConfig& config = model_.info.config.mor;
    std::vector<int> from, to;
    for (const Chunk* c : chunks)
        for (const Row& r : c->rows) {
            from.push_back(r.x);
            to.push_back(r.y);
        }
    const int recursions = config.num_recursion;
    std::vector<float> logits(from.size() * recursions);
    model_.backend->router(model_.routers.front(), states_.data(), from, static_cast<float>(1.0 / config.temp),
                           logits.data());
    std::size_t at = 0;
    for (Chunk* c : chunks)
        for (Row& r : c->rows) {
            r.decisions = decide_token(config, c->sequence->request.routing, r.position,
                                       std::span(logits).subspan(at * recursions, recursions), model_.router_bias);
            r.target_depth = static_cast<int>(std::count_if(r.decisions.begin(), r.decisions.end(),
                                                            [](const Decision& d) { return d.outcome == Outcome::Take; }));
            ++at;
        }
    float* y = y_.room(from.size() *
                       model_.info.config.llama.hidden_size);  // the block's running output starts as the state itself
    model_.backend->gather(states_.data(), from, model_.info.config.llama.hidden_size, y);
    model_.backend->combine(y, to, {}, model_.info.config.llama.hidden_size, states_.data());
}

}  // namespace mor
