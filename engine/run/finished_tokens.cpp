// SPDX-License-Identifier: Apache-2.0
// The second half of Scheduler: rows that have been through the model become records, and the next token is chosen.
#include <algorithm>
#include <utility>

#include "mor/analysis.hpp"
#include "run/scheduler_impl.hpp"

namespace mor {
namespace {

constexpr int kHeadRows = 64;  // logits of at most so many rows are held at once

}  // namespace

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
    if (s.text && r.token < parts.tokenizer->size()) record.text = s.text->push(r.token);
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
    if (s.finish != Finish::None && s.text) newest.text += s.text->flush();
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

}  // namespace mor
