// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <utility>

#include "mor/error.hpp"
#include "run/finisher.hpp"
#include "run/forward.hpp"
#include "run/pass_selection.hpp"
#include "run/request_checks.hpp"
#include "run/sequence.hpp"

namespace mor {
namespace {

KvGeometry geometry_of(const LlamaConfig& c, const KvSettings& s) {
    return {c.num_key_value_heads, c.head_dim, s.block_entries, s.type};
}

int prefill_chunk(const Model& model, const Request& request) {
    const int prompt = static_cast<int>(request.prompt.size());
    if (request.routing.rule == SelectionRule::TopK && model.config().mor.routing == Routing::ExpertChoice) return prompt;
    if (request.prefill_chunk > 0) return request.prefill_chunk;
    const double per_token = 2.0 * static_cast<double>(model.info().parameters_effective);
    const Backend::PassSize pass = parts_of(model).backend->pass_size();
    return static_cast<int>(std::clamp(pass.flops / per_token, double(pass.least_rows), double(pass.most_rows)));
}

/// Which segments share weights, and what reading them takes: the layers' products and, behind the last segment, the head.
std::vector<PassSelection::Weights> weights_of(const ModelParts& parts, const Plan& plan) {
    const auto bytes = [](const Matrix& m) { return static_cast<double>(m.out) * m.in * bytes_of(m.dtype); };
    const auto groups = segment_weights(plan, parts.weights_identity);
    std::vector<PassSelection::Weights> weights;
    for (std::size_t s = 0; s < plan.segments.size(); ++s) {
        weights.push_back({groups[s], 0});
        for (const PlanLayer& l : plan.segments[s].layers) {
            const LayerWeights& w = *parts.layers[l.executed];
            weights.back().bytes += bytes(*w.qkv) + bytes(*w.out) + bytes(*w.gate_up) + bytes(*w.down);
        }
    }
    weights.back().bytes += bytes(*parts.lm_head);
    return weights;
}

}  // namespace

struct Scheduler::Impl {
    Impl(std::shared_ptr<const Model>, const KvSettings&);

    Sequence& at(int request);  ///< throws Error for one that is not known
    int most_tokens(const Request&) const;
    void admit();
    void enter_chunks(PassRecord&);
    void enter(std::span<Sequence* const>, PassRecord&);
    Chunk next_chunk(Sequence&) const;
    template <class Condition>
    std::vector<Chunk*> chunks(Condition&&);
    void run_pass(Events&);
    void stop(Sequence&, Finish);
    void give_memory_back();

    std::shared_ptr<const Model> model;
    const ModelParts& parts;
    Plan plan;
    int max_requests;
    KvPool pool;
    RowPool next_logits;  ///< [requests, V]
    ForwardPass forward;
    Finisher finisher;
    PassSelection selection;
    std::map<int, std::unique_ptr<Sequence>> sequences;  ///< in the order they came
    int next_id = 0;
    std::exception_ptr failure;  ///< for the next advance(): the events before it must not be lost
};

Scheduler::Impl::Impl(std::shared_ptr<const Model> m, const KvSettings& s)
    : model(std::move(m)),
      parts(parts_of(*model)),
      plan(compile_plan(model->config(), s.policy.value_or(model->config().mor.kv_policy))),
      max_requests(s.max_requests),
      pool(parts.backend, plan, geometry_of(model->config().llama, s),
           s.capacity_tokens ? s.capacity_tokens : model->config().llama.max_position_embeddings * s.max_requests,
           s.max_requests),
      next_logits(parts.backend, model->config().llama.vocab_size),
      forward(parts, plan, pool.geometry()),
      finisher(parts, plan, forward, next_logits),
      selection(weights_of(parts, plan)) {}

Sequence& Scheduler::Impl::at(int request) {
    const auto it = sequences.find(request);
    if (it == sequences.end()) throw Error("request " + std::to_string(request) + " is not known to this scheduler");
    return *it->second;
}

/// That a request can come to.
int Scheduler::Impl::most_tokens(const Request& r) const {
    const std::int64_t wanted = static_cast<std::int64_t>(r.prompt.size()) + r.max_tokens;
    return static_cast<int>(std::min<std::int64_t>(wanted, model->config().llama.max_position_embeddings));
}

/// Lets waiting requests begin, in the order they came, as long as fewer than max_requests run and there is K/V room for
/// each to its end. Nobody is overtaken, so nobody waits for more than the requests in front.
void Scheduler::Impl::admit() {
    auto running = std::count_if(sequences.begin(), sequences.end(), [](auto& s) { return s.second->runs(); });
    for (auto& [id, s] : sequences) {
        if (!s->waits()) continue;
        if (running < max_requests && s->kv.promise(most_tokens(s->request))) {
            s->begun = true;
            ++running;
        } else if (running > 0) {
            return;
        } else {  // all others have ended, and keep what they stored
            stop(*s, Finish::Cancelled);
            throw Error("KV cache is full: request " + std::to_string(id) +
                        " has no room beside those that have ended; release them first");
        }
    }
}

/// Gives every running request its next chunk. Where the backend has no memory for that they wait until others have ended;
/// with no other to wait for, the first one alone is tried.
void Scheduler::Impl::enter_chunks(PassRecord& pass) {
    std::vector<Sequence*> ready;
    for (auto& [id, s] : sequences)
        if (s->runs() && !s->chunk) ready.push_back(s.get());
    while (!ready.empty()) {
        try {
            return enter(ready, pass);
        } catch (...) {
            for (Sequence* s : ready) {
                s->chunk.reset();
                s->kv.trim();
            }
            give_memory_back();
            if (!chunks([](const Chunk&) { return true; }).empty()) return;
            if (ready.size() == 1) {
                stop(*ready.front(), Finish::Cancelled);
                throw;
            }
            ready.resize(1);
        }
    }
}

void Scheduler::Impl::enter(std::span<Sequence* const> ready, PassRecord& pass) {
    std::vector<Chunk*> entering;
    for (Sequence* s : ready) {
        Chunk chunk = next_chunk(*s);
        s->kv.reserve(static_cast<int>(chunk.rows.size()));
        selection.enter(chunk);
        s->chunk = std::move(chunk);
        entering.push_back(&*s->chunk);
    }
    forward.enter(entering, pass);
}

Chunk Scheduler::Impl::next_chunk(Sequence& s) const {
    const int begin = s.finished_tokens;
    const int prompt = static_cast<int>(s.request.prompt.size());
    const int n = s.decoding() ? 1 : std::min(prefill_chunk(*model, s.request), prompt - begin);
    Chunk chunk{.sequence = &s};
    const int recursions = model->config().mor.num_recursion;
    const bool routed = model->config().mor.routing != Routing::None;
    for (int i = 0; i < n; ++i) {
        Row r{.position = begin + i, .token = s.tokens[begin + i]};
        r.ordinal.assign(pool.groups(), -1);
        r.visible.assign(recursions, 0);
        if (routed) r.decisions.resize(recursions);
        if (s.request.keep_tensors) r.hidden.resize(recursions);
        chunk.rows.push_back(std::move(r));
        chunk.live.push_back(i);
    }
    return chunk;
}

/// Those under way for which a condition holds.
template <class Condition>
std::vector<Chunk*> Scheduler::Impl::chunks(Condition&& holds) {
    std::vector<Chunk*> result;
    for (auto& [id, s] : sequences)
        if (s->chunk && holds(*s->chunk)) result.push_back(&*s->chunk);
    return result;
}

/// Runs a segment for the chunks whose turn it is, and finishes those that are done. When the backend fails, the requests
/// that took part end at their last finished token.
void Scheduler::Impl::run_pass(Events& events) {
    const auto done = [&](const Chunk& c) { return forward.done(c); };
    const auto ready = chunks([&](const Chunk& c) { return !done(c); });
    const auto chosen = ready.empty() ? ready : selection.next(ready);
    std::vector<Sequence*> taking_part;
    for (const Chunk* c : chosen) taking_part.push_back(c->sequence);
    for (const Chunk* c : chunks(done)) taking_part.push_back(c->sequence);  // all their rows left at the entrance
    try {
        if (!chosen.empty()) {
            events.pass.segment = chosen.front()->segment;
            forward.run(chosen, events.pass);
        }
        failure = finisher.finish(chunks(done), events);
    } catch (...) {  // out of memory, for instance
        for (Sequence* s : taking_part)
            if (s->runs()) stop(*s, Finish::Cancelled);
        give_memory_back();
        throw;
    }
}

/// Ends a request by hand, at its last finished token: what has not been through the model is forgotten.
void Scheduler::Impl::stop(Sequence& s, Finish why) {
    if (s.chunk) {
        forward.leave(*s.chunk);
        s.chunk.reset();
    }
    s.kv.truncate(s.finished_tokens);
    s.tokens.resize(s.finished_tokens);
    s.end(why);
}

/// After an allocation failed: keeps what running requests need, so that a smaller one may do.
void Scheduler::Impl::give_memory_back() {
    forward.release_memory();
    finisher.release_memory();
    next_logits.release_unused();
    pool.release_unused();
}

Scheduler::Scheduler(std::shared_ptr<const Model> model, const KvSettings& settings) {
    check_kv(settings);
    impl_ = std::make_unique<Impl>(std::move(model), settings);
}

Scheduler::~Scheduler() = default;

int Scheduler::submit(Request request) {
    check_request(*impl_->model, request);
    if (const int most = impl_->most_tokens(request); impl_->pool.blocks_for(most) > impl_->pool.capacity())
        throw Error("KV cache: prompt and max-tokens come to " + std::to_string(most) + " tokens and the cache holds " +
                    std::to_string(impl_->pool.capacity() * impl_->pool.geometry().block_entries) +
                    "; use a shorter text or a larger cache");
    const int id = impl_->next_id++;
    impl_->sequences.emplace(id, std::make_unique<Sequence>(id, std::move(request), impl_->pool, impl_->plan,
                                                            impl_->next_logits, impl_->parts.tokenizer));
    return id;
}

bool Scheduler::idle() const {
    return !impl_->failure && std::all_of(impl_->sequences.begin(), impl_->sequences.end(),
                                          [](const auto& s) { return s.second->finish != Finish::None; });
}

Events Scheduler::advance() {
    const std::scoped_lock lock(impl_->parts.computing);
    if (impl_->failure) std::rethrow_exception(std::exchange(impl_->failure, nullptr));
    Events events;
    if (idle()) return events;
    const auto started = Sequence::Clock::now();
    impl_->admit();
    impl_->enter_chunks(events.pass);
    events.pass.waiting = events.pass.running = 0;
    for (const auto& [id, s] : impl_->sequences) {
        events.pass.waiting += s->waits();
        events.pass.running += s->runs();
    }
    impl_->run_pass(events);
    events.pass.milliseconds = std::chrono::duration<double, std::milli>(Sequence::Clock::now() - started).count();
    events.pass.kv_blocks_in_use = impl_->pool.blocks_in_use();
    events.pass.kv_blocks_total = impl_->pool.blocks_total();
    return events;
}

void Scheduler::cancel(int request) {
    Sequence& s = impl_->at(request);
    if (s.finish == Finish::None) impl_->stop(s, Finish::Cancelled);
}

void Scheduler::extend(int request, int more) {
    Sequence& s = impl_->at(request);
    const int context = impl_->model->config().llama.max_position_embeddings;
    if (s.finish != Finish::MaxTokens || more < 1) throw Error("only a request that ended at max-tokens can be continued");
    if (static_cast<int>(s.tokens.size()) >= context)
        throw Error("the context of " + std::to_string(context) + " tokens is full; start a new text");
    Request longer = s.request;
    longer.max_tokens = static_cast<int>(s.tokens.size() - s.request.prompt.size()) + more;
    if (!s.kv.promise(impl_->most_tokens(longer)))
        throw Error("KV cache is full: " + std::to_string(more) +
                    " more tokens have no room beside the other requests; release some, or ask for fewer");
    impl_->finisher.choose_next(s);
    s.request.max_tokens = longer.max_tokens;
    s.begun = false;  // it has its room, and waits for its turn
    s.finish = Finish::None;
}

void Scheduler::release(int request) {
    Sequence& s = impl_->at(request);
    if (s.finish == Finish::None) impl_->stop(s, Finish::Cancelled);  // its chunk holds states
    impl_->sequences.erase(request);
}

bool Scheduler::running(int request) const { return impl_->at(request).finish == Finish::None; }

KvReport Scheduler::kv(int request) const {
    const Sequence& s = impl_->at(request);
    const ModelConfig& c = impl_->model->config();
    return s.kv.report(c.mor.num_recursion, c.llama.num_hidden_layers, s.finished_tokens);
}

std::span<const float> Scheduler::last_logits(int request) const {
    const std::scoped_lock lock(impl_->parts.computing);
    return impl_->at(request).next.row();
}

const std::vector<int>& Scheduler::tokens(int request) const { return impl_->at(request).tokens; }
const Model& Scheduler::model() const { return *impl_->model; }

}  // namespace mor
