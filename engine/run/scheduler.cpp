// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

}  // namespace

struct Scheduler::Impl {
    Impl(std::shared_ptr<const Model>, const KvSettings&);

    Sequence& at(int request);  ///< throws Error for one that is not known
    void admit();
    void start_chunk(Sequence&);
    std::vector<Chunk*> in_flight();
    void stop(Sequence&, Finish);
    void give_memory_back();

    std::shared_ptr<const Model> model;
    const ModelParts& parts;
    Plan plan;
    KvPool pool;
    ForwardPass forward;
    Finisher finisher;
    PassSelection selection;
    std::map<int, std::unique_ptr<Sequence>> sequences;
    int next_id = 0;
};

Scheduler::Impl::Impl(std::shared_ptr<const Model> m, const KvSettings& s)
    : model(std::move(m)),
      parts(parts_of(*model)),
      plan(compile_plan(model->config(), s.policy.value_or(model->config().mor.kv_policy))),
      pool(parts.backend, plan, geometry_of(model->config().llama, s),
           s.capacity_tokens ? s.capacity_tokens : model->config().llama.max_position_embeddings * s.max_requests,
           s.max_requests),
      forward(parts, plan, pool.geometry()),
      finisher(parts, plan, forward),
      selection(segment_weights(plan, parts.weights_identity)) {}

Sequence& Scheduler::Impl::at(int request) {
    const auto it = sequences.find(request);
    if (it == sequences.end()) throw Error("request " + std::to_string(request) + " is not known to this scheduler");
    return *it->second;
}

std::vector<Chunk*> Scheduler::Impl::in_flight() {
    std::vector<Chunk*> chunks;
    for (auto& [id, s] : sequences)
        if (s->chunk) chunks.push_back(&*s->chunk);
    return chunks;
}

/// Gives every waiting request its next chunk. When the KV pool has no room for one it waits for others to end; with
/// no other to wait for that is an error.
void Scheduler::Impl::admit() {
    for (auto& [id, s] : sequences) {
        if (s->finish != Finish::None || s->chunk) continue;
        try {
            start_chunk(*s);
        } catch (const Error& error) {
            if (dynamic_cast<const DeviceError*>(&error)) {
                s->kv.trim();
                give_memory_back();
            }
            const bool others = std::any_of(sequences.begin(), sequences.end(),
                                            [&](auto& o) { return o.first != id && o.second->finish == Finish::None; });
            if (others) continue;
            stop(*s, Finish::Cancelled);
            throw;
        }
    }
    if (!in_flight().empty()) return;
    for (auto& [id, s] : sequences)  // all are waiting for each other: one has to go
        if (s->finish == Finish::None) {
            stop(*s, Finish::Cancelled);
            s->kv.truncate(0);
            throw Error("KV cache is full: request " + std::to_string(id) +
                        " was cancelled because no request could go on; run fewer at once");
        }
}

void Scheduler::Impl::start_chunk(Sequence& s) {
    const int begin = s.finished_tokens;
    const int prompt = static_cast<int>(s.request.prompt.size());
    const int n = s.decoding() ? 1 : std::min(prefill_chunk(*model, s.request), prompt - begin);
    s.kv.reserve(n);
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
    forward.enter(chunk);
    selection.enter(chunk);
    s.chunk = std::move(chunk);
}

/// Ends a request by hand, at its last finished token: what has not been through the model is forgotten.
void Scheduler::Impl::stop(Sequence& s, Finish why) {
    if (s.chunk) {
        forward.leave(*s.chunk);
        s.chunk.reset();
    }
    s.kv.truncate(s.finished_tokens);
    s.tokens.resize(s.finished_tokens);
    s.finish = why;
}

/// After an allocation failed: keeps what running requests need, so that a smaller one may do.
void Scheduler::Impl::give_memory_back() {
    forward.release_memory();
    pool.release_unused();
}

Scheduler::Scheduler(std::shared_ptr<const Model> model, const KvSettings& settings) {
    check_kv(settings);
    impl_ = std::make_unique<Impl>(std::move(model), settings);
}

Scheduler::~Scheduler() = default;

int Scheduler::submit(Request request) {
    check_request(*impl_->model, request);
    const int id = impl_->next_id++;
    impl_->sequences.emplace(id, std::make_unique<Sequence>(id, std::move(request), impl_->pool, impl_->plan,
                                                            impl_->parts.backend, impl_->parts.tokenizer));
    return id;
}

bool Scheduler::idle() const {
    return std::all_of(impl_->sequences.begin(), impl_->sequences.end(),
                       [](const auto& s) { return s.second->finish != Finish::None; });
}

Events Scheduler::advance() {
    const std::scoped_lock lock(impl_->parts.computing);
    Events events;
    if (idle()) return events;
    const auto started = Sequence::Clock::now();
    impl_->admit();
    const auto chunks = impl_->selection.next(impl_->in_flight());
    std::vector<Sequence*> sequences;
    for (const Chunk* c : chunks) sequences.push_back(c->sequence);
    try {
        events.pass.segment = chunks.front()->segment;
        impl_->forward.run(chunks, events.pass);
        for (Sequence* s : sequences)
            if (impl_->forward.done(*s->chunk)) impl_->finisher.finish(*s, events);
    } catch (...) {  // out of memory, for instance: these requests end at their last finished token
        for (Sequence* s : sequences)
            if (s->finish == Finish::None) impl_->stop(*s, Finish::Cancelled);
        impl_->give_memory_back();
        throw;
    }
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
    s.request.max_tokens = static_cast<int>(s.tokens.size() - s.request.prompt.size()) + more;
    s.finish = Finish::None;
    impl_->finisher.choose_next(s);
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
