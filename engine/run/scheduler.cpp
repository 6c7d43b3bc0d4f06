// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "model/parts.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"
#include "run/forward.hpp"
#include "run/routing.hpp"
#include "run/sequence.hpp"

namespace mor {
namespace {

constexpr int kHeadRows = 64;       // logits of at most so many rows are held at once
constexpr int kPatience = 8;        // passes a chunk may wait for a fuller one

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

void check_request(const Model& model, const Request& r) {
    const LlamaConfig& c = model.config().llama;
    if (r.prompt.empty()) throw Error("prompt: expected at least one token, got none; type some text");
    if (static_cast<int>(r.prompt.size()) > c.max_position_embeddings)
        throw Error("prompt: expected at most " + std::to_string(c.max_position_embeddings) +
                    " tokens (the model's context), got " + std::to_string(r.prompt.size()));
    for (std::size_t i = 0; i < r.prompt.size(); ++i)
        if (r.prompt[i] < 0 || r.prompt[i] >= c.vocab_size)
            throw Error("prompt token " + std::to_string(i + 1) + ": expected an id from 0 to " +
                        std::to_string(c.vocab_size - 1) + ", got " + std::to_string(r.prompt[i]));
    if (r.max_tokens < 0) throw Error("max-tokens: expected 0 or more, got " + std::to_string(r.max_tokens));
    if (r.prefill_chunk < 0) throw Error("prefill chunk: expected 0 or more, got " + std::to_string(r.prefill_chunk));
    const bool top_k = r.routing.rule == SelectionRule::TopK && model.config().mor.routing == Routing::ExpertChoice;
    if (top_k && r.prefill_chunk > 0 && r.prefill_chunk < static_cast<int>(r.prompt.size()))
        throw Error("TopK selects among the whole prompt, so it cannot be read in chunks of " +
                    std::to_string(r.prefill_chunk) + "; leave the chunk size out or use the threshold rule");
    if (r.exits && !has_exits(model.config().mor))
        throw Error("exits need a state after each recursion, which " + std::string(name_of(model.config().mor.sharing)) +
                    " models do not have; ask for them on cycle or middle_cycle models");
    check_sampling(r.sampling);
    check_routing(model.config(), r.routing);
}

void check_kv(const KvSettings& s) {
    if (s.block_entries < 1 || s.block_entries > 4096)
        throw Error("KV block: expected 1 to 4096 entries, got " + std::to_string(s.block_entries));
    if (s.max_requests < 1) throw Error("max requests: expected at least 1, got " + std::to_string(s.max_requests));
    if (s.capacity_tokens < 0)
        throw Error("KV capacity: expected 0 or more tokens, got " + std::to_string(s.capacity_tokens));
}

/// Of those rows that need them: logits [n, V] in backend memory, and what the backend found in them.
struct HeadRows {
    const float* logits = nullptr;
    std::vector<Pick> picks;
};

}  // namespace

struct Scheduler::Impl {
    Impl(std::shared_ptr<const Model> m, const KvSettings& s)
        : model(std::move(m)),
          parts(model->parts()),
          plan(compile_plan(model->config(), s.policy.value_or(model->config().mor.kv_policy))),
          weights(segment_weights(plan, parts.weights_identity)),
          pool(parts.backend, plan, geometry_of(model->config().llama, s),
               s.capacity_tokens ? s.capacity_tokens : model->config().llama.max_position_embeddings * s.max_requests,
               s.max_requests),
          forward(parts, plan, pool.geometry()) {}

    Sequence& at(int request) {
        const auto it = sequences.find(request);
        if (it == sequences.end()) throw Error("request " + std::to_string(request) + " is not known to this scheduler");
        return *it->second;
    }

    void admit();
    bool start_chunk(Sequence&);
    std::vector<Chunk*> select();
    void finish_chunk(Sequence&, Events&);
    void read_head(Sequence&, std::vector<FinishedToken>&);
    HeadRows head_rows(Sequence&, std::span<const Row> rows, bool newest);
    void read_exits(Chunk&, std::vector<FinishedToken>&);
    FinishedToken make_token(Sequence&, Row&, bool head) const;
    void decide_next(Sequence&, TokenRecord&);
    void choose_next(Sequence&);
    void end(Sequence&, Finish);
    void drop_chunk(Sequence&);
    void give_memory_back();
    bool needs_head(const Sequence&, const Row&) const;
    std::vector<Alternative> alternatives(const Pick&, int most) const;
    std::string label(int token) const;

    std::shared_ptr<const Model> model;
    const Model::Parts& parts;
    Plan plan;
    std::vector<int> weights;  ///< [segments] equal numbers may share a pass
    KvPool pool;
    ForwardPass forward;
    std::map<int, std::unique_ptr<Sequence>> sequences;
    int next_id = 0;
    std::int64_t passes = 0;
};

// ------------------------------------------------------------------------------------------------ chunks

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

// ------------------------------------------------------------------------------------------------ finished tokens

bool Scheduler::Impl::needs_head(const Sequence& s, const Row& r) const {
    return r.position + 1 == static_cast<int>(s.tokens.size()) || s.request.prompt_logprobs || s.request.keep_tensors;
}

std::string Scheduler::Impl::label(int token) const {
    if (!parts.tokenizer || token >= parts.tokenizer->size()) return "#" + std::to_string(token);
    return parts.tokenizer->label(token);
}

std::vector<Alternative> Scheduler::Impl::alternatives(const Pick& pick, int most) const {
    std::vector<Alternative> result;
    for (const auto& [token, logit] : pick.top) {
        if (static_cast<int>(result.size()) >= most) break;
        result.push_back({token, label(token), logit - pick.log_sum_exp});
    }
    return result;
}

FinishedToken Scheduler::Impl::make_token(Sequence& s, Row& r, bool head) const {
    const ModelConfig& config = model->config();
    FinishedToken t;
    TokenRecord& record = t.record;
    record.request = s.id;
    record.position = r.position;
    record.token = r.token;
    record.label = label(r.token);
    if (s.text && r.token < parts.tokenizer->size()) record.piece = s.text->push(r.token);
    record.prompt = r.position < static_cast<int>(s.request.prompt.size());
    record.depth = r.depth;
    record.kv = s.kv.use(r.position, config.mor.num_recursion, config.llama.num_hidden_layers);
    const FlopCount flops = count_flops(config, plan.policy, r.position, r.decisions, r.visible, head, parts.router_inner);
    record.flops = flops.spent;
    record.flops_vanilla = flops.vanilla;
    record.time_ms = record.prompt ? s.elapsed_ms() : s.next_time_ms;
    record.recursions = std::move(r.decisions);
    t.hidden = std::move(r.hidden);
    return t;
}

void Scheduler::Impl::finish_chunk(Sequence& s, Events& events) {
    s.kv.trim();
    std::vector<FinishedToken> tokens;
    read_head(s, tokens);
    if (s.request.exits) read_exits(*s.chunk, tokens);
    s.finished_tokens += static_cast<int>(s.chunk->rows.size());
    forward.leave(*s.chunk);
    s.chunk.reset();
    if (s.finished_tokens == static_cast<int>(s.tokens.size())) decide_next(s, tokens.back().record);
    std::move(tokens.begin(), tokens.end(), std::back_inserter(events.tokens));
}

/// Logits and picks of those rows that need them. `newest`: the last row is the sequence's newest; its logits are kept
/// for the sampler and for whoever asks for them, and what else is only known on the device stays there.
HeadRows Scheduler::Impl::head_rows(Sequence& s, std::span<const Row> rows, bool newest) {
    std::vector<int> states, wanted;
    for (const Row& r : rows) {
        if (!needs_head(s, r)) continue;
        const auto next = static_cast<std::size_t>(r.position) + 1;
        states.push_back(r.x);
        wanted.push_back(next < s.tokens.size() ? s.tokens[next] : -1);
    }
    HeadRows head;
    if (states.empty()) return head;
    const int n = static_cast<int>(states.size()), vocab = model->config().llama.vocab_size;
    newest = newest && needs_head(s, rows.back());
    if (newest && n == 1) {
        float* const row = s.next.start(vocab);
        forward.head(states, row);
        head.logits = row;
    } else {
        head.logits = forward.head(states);
        const int last[] = {n - 1};
        if (newest) parts.backend->gather(head.logits, last, vocab, s.next.start(vocab));
    }
    const bool known = std::any_of(wanted.begin(), wanted.end(), [](int token) { return token >= 0; });
    const int best = std::max(s.request.alternatives, newest ? s.sampler.candidates() : 0);
    head.picks = parts.backend->pick(head.logits, n, vocab, best, known ? wanted : std::vector<int>{});
    if (newest) s.next.set_pick(head.picks.back());
    return head;
}

/// Makes the records of a finished chunk, computing logits, some rows at a time, where somebody needs them. What a
/// row says about the token that follows is kept in the sequence until that token's record is made.
void Scheduler::Impl::read_head(Sequence& s, std::vector<FinishedToken>& tokens) {
    auto& rows = s.chunk->rows;
    const auto vocab = static_cast<std::size_t>(model->config().llama.vocab_size);
    for (std::size_t begin = 0; begin < rows.size(); begin += kHeadRows) {
        const std::size_t end = std::min(rows.size(), begin + kHeadRows);
        const HeadRows computed = head_rows(s, std::span(rows).subspan(begin, end - begin), end == rows.size());
        std::size_t at = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const bool head = needs_head(s, rows[i]);
            const int x = rows[i].x;
            tokens.push_back(make_token(s, rows[i], head));
            tokens.back().record.logprob = std::exchange(s.next_logprob, kNotEvaluated);
            tokens.back().record.top = std::exchange(s.next_top, {});
            if (s.request.keep_tensors) tokens.back().final_hidden = forward.state(x);
            if (!head) continue;
            if (s.request.keep_tensors) {
                tokens.back().logits.resize(vocab);
                parts.backend->download(computed.logits + at * vocab, vocab, tokens.back().logits.data());
            }
            const Pick& pick = computed.picks[at++];
            s.next_top = alternatives(pick, s.request.alternatives);
            s.next_logprob = pick.wanted - pick.log_sum_exp;  // not a number where the next token is not known
        }
    }
}

/// Fills TokenRecord::exits from the states the rows could have stopped with.
void Scheduler::Impl::read_exits(Chunk& chunk, std::vector<FinishedToken>& tokens) {
    forward.finish_exits(chunk);
    const int vocab = model->config().llama.vocab_size;
    for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
        const auto& states = chunk.rows[i].exits;
        if (states.empty()) continue;
        const int most = chunk.sequence->request.alternatives;
        const auto picks = parts.backend->pick(forward.head(states), static_cast<int>(states.size()), vocab, most);
        for (std::size_t r = 0; r < picks.size(); ++r)
            tokens[i].record.exits.push_back({static_cast<int>(r), alternatives(picks[r], most)});
    }
}

/// The newest known token has been through the model: ends the request or chooses the next token.
void Scheduler::Impl::decide_next(Sequence& s, TokenRecord& newest) {
    const LlamaConfig& c = model->config().llama;
    const int decoded = static_cast<int>(s.tokens.size() - s.request.prompt.size());
    const bool eos = std::find(c.eos_token_id.begin(), c.eos_token_id.end(), newest.token) != c.eos_token_id.end();
    if (eos && decoded > 0 && !s.request.ignore_eos)
        end(s, Finish::Eos);
    else if (decoded >= s.request.max_tokens)
        end(s, Finish::MaxTokens);
    else if (static_cast<int>(s.tokens.size()) >= c.max_position_embeddings)
        end(s, Finish::Context);
    else
        choose_next(s);
    newest.finish = s.finish;
    if (s.finish != Finish::None && s.text) newest.piece += s.text->flush();
}

void Scheduler::Impl::end(Sequence& s, Finish finish) {
    s.next.end();
    s.finish = finish;
}

void Scheduler::Impl::choose_next(Sequence& s) {
    const auto [token, logit] = s.next.choose(s.sampler);
    s.next_logprob = logit - s.next.pick().log_sum_exp;
    s.next_time_ms = s.elapsed_ms();
    s.tokens.push_back(token);
}

// ------------------------------------------------------------------------------------------------ public face

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
