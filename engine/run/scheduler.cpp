// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "mor/error.hpp"
#include "run/request_checks.hpp"
#include "run/scheduler_impl.hpp"

namespace mor {
namespace {

constexpr int kPatience = 8;  // passes a chunk may wait for a fuller one

KvGeometry geometry_of(const LlamaConfig& c, const KvSettings& s) {
    return {c.num_key_value_heads, c.head_dim, s.block_entries, s.type};
}

int prefill_chunk(const Model& model, const Request& request) {
    const int prompt = static_cast<int>(request.prompt.size());
    if (request.routing.rule == SelectionRule::TopK && model.config().mor.routing == Routing::ExpertChoice) return prompt;
    if (request.prefill_chunk > 0) return request.prefill_chunk;
    const double per_token = 2.0 * static_cast<double>(model.info().parameters_effective);
    const Backend::PassSize pass = model.parts().backend->pass_size();
    return static_cast<int>(std::clamp(pass.flops / per_token, double(pass.least_rows), double(pass.most_rows)));
}

}  // namespace

Scheduler::Impl::Impl(std::shared_ptr<const Model> m, const KvSettings& s)
    : model(std::move(m)),
      parts(model->parts()),
      plan(compile_plan(model->config(), s.policy.value_or(model->config().mor.kv_policy))),
      weights(segment_weights(plan, parts.weights_identity)),
      pool(parts.backend, plan, geometry_of(model->config().llama, s),
           s.capacity_tokens ? s.capacity_tokens : model->config().llama.max_position_embeddings * s.max_requests,
           s.max_requests),
      forward(parts, plan, pool.geometry()) {}

Sequence& Scheduler::Impl::at(int request) {
    const auto it = sequences.find(request);
    if (it == sequences.end()) throw Error("request " + std::to_string(request) + " is not known to this scheduler");
    return *it->second;
}

/// Gives every waiting request its next chunk. When the KV pool has no room for one it waits for others to end; with
/// no other to wait for that is an error.
void Scheduler::Impl::admit() {
    bool in_flight = std::any_of(sequences.begin(), sequences.end(), [](auto& s) { return s.second->chunk.has_value(); });
    for (auto& [id, s] : sequences) {
        if (s->finish != Finish::None || s->chunk) continue;
        try {
            in_flight = start_chunk(*s) || in_flight;
        } catch (const Error& error) {
            if (dynamic_cast<const DeviceError*>(&error)) {
                s->kv.trim();
                give_memory_back();
            }
            const bool others = in_flight || std::any_of(sequences.begin(), sequences.end(), [&](auto& o) {
                                    return o.first != id && o.second->finish == Finish::None;
                                });
            if (others) continue;
            s->finish = Finish::Cancelled;
            throw;
        }
    }
    if (in_flight) return;
    for (auto& [id, s] : sequences)  // all are waiting for each other: one has to go
        if (s->finish == Finish::None) {
            s->finish = Finish::Cancelled;
            s->tokens.resize(s->finished_tokens);
            s->kv.truncate(0);
            throw Error("KV cache is full: request " + std::to_string(id) +
                        " was cancelled because no request could go on; run fewer at once");
        }
}

bool Scheduler::Impl::start_chunk(Sequence& s) {
    const int begin = s.finished_tokens;
    const int prompt = static_cast<int>(s.request.prompt.size());
    const int n = s.decoding() ? 1 : std::min(prefill_chunk(*model, s.request), prompt - begin);
    s.kv.reserve(n);
    Chunk chunk{.sequence = &s, .waiting_since = passes};
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
    s.chunk = std::move(chunk);
    return true;
}

void Scheduler::Impl::drop_chunk(Sequence& s) {
    if (!s.chunk) return;
    forward.leave(*s.chunk);
    s.chunk.reset();
    s.kv.truncate(s.finished_tokens);
}

/// After an allocation failed: keeps what running requests need, so that a smaller one may do.
void Scheduler::Impl::give_memory_back() {
    forward.release_memory();
    pool.release_unused();
}

/// The chunks of the next pass: of all groups with equal weights the one with the most rows, unless somebody has
/// waited long enough.
std::vector<Chunk*> Scheduler::Impl::select() {
    std::map<int, std::vector<Chunk*>> groups;
    std::map<int, std::size_t> rows;
    Chunk* oldest = nullptr;
    for (auto& [id, s] : sequences) {
        if (!s->chunk) continue;
        Chunk& c = *s->chunk;
        groups[weights[c.segment]].push_back(&c);
        rows[weights[c.segment]] += c.live.size();
        if (!oldest || c.waiting_since < oldest->waiting_since) oldest = &c;
    }
    if (passes - oldest->waiting_since > kPatience) return groups[weights[oldest->segment]];
    const auto fullest = std::max_element(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.second < b.second; });
    return groups[fullest->first];
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
    const auto chunks = impl_->select();
    try {
        ++impl_->passes;
        events.pass.segment = chunks.front()->segment;
        for (Chunk* c : chunks) c->waiting_since = impl_->passes;
        impl_->forward.run(chunks, events.pass);
        for (Chunk* c : chunks)
            if (impl_->forward.done(*c)) impl_->finish_chunk(*c->sequence, events);
    } catch (...) {  // out of memory, for instance: these requests end at their last finished token
        for (auto& [id, s] : impl_->sequences)
            if (s->chunk && s->chunk->waiting_since == impl_->passes) {
                impl_->drop_chunk(*s);
                s->tokens.resize(s->finished_tokens);
                s->finish = Finish::Cancelled;
            }
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
    if (s.finish != Finish::None) return;
    impl_->drop_chunk(s);
    s.tokens.resize(s.finished_tokens);
    s.finish = Finish::Cancelled;
}

void Scheduler::extend(int request, int more) {
    Sequence& s = impl_->at(request);
    const int context = impl_->model->config().llama.max_position_embeddings;
    if (s.finish != Finish::MaxTokens || more < 1) throw Error("only a request that ended at max-tokens can be continued");
    if (static_cast<int>(s.tokens.size()) >= context)
        throw Error("the context of " + std::to_string(context) + " tokens is full; start a new text");
    s.request.max_tokens = static_cast<int>(s.tokens.size() - s.request.prompt.size()) + more;
    s.finish = Finish::None;
    impl_->choose_next(s);
}

void Scheduler::release(int request) {
    Sequence& s = impl_->at(request);
    impl_->drop_chunk(s);
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
