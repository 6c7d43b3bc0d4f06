// SPDX-License-Identifier: Apache-2.0
#include "run/finisher.hpp"

#include <algorithm>
#include <utility>

namespace mor {
namespace {

constexpr int kHeadRows = 64;  // logits of at most so many rows are held at once

}  // namespace

bool Finisher::needs_head(const Sequence& s, const Row& r) {
    return r.position + 1 == static_cast<int>(s.tokens.size()) || s.request.prompt_logprobs || s.request.keep_tensors;
}

void Finisher::finish(Sequence& s, Events& events) {
    s.kv.trim();
    std::vector<FinishedToken> tokens;
    read_head(s, tokens);
    if (s.request.exits) read_exits(*s.chunk, tokens);
    s.finished_tokens += static_cast<int>(s.chunk->rows.size());
    forward_.leave(*s.chunk);
    s.chunk.reset();
    if (s.finished_tokens == static_cast<int>(s.tokens.size())) decide_next(s, tokens.back().record);
    std::move(tokens.begin(), tokens.end(), std::back_inserter(events.tokens));
}

/// Logits and picks of those rows that need them. `newest`: the last row is the sequence's newest; its logits are kept
/// for the sampler and for whoever asks for them, and what else is only known on the device stays there.
Finisher::HeadRows Finisher::head_rows(Sequence& s, std::span<const Row> rows, bool newest) {
    std::vector<int> states, wanted;
    for (const Row& r : rows) {
        if (!needs_head(s, r)) continue;
        const auto next = static_cast<std::size_t>(r.position) + 1;
        states.push_back(r.x);
        wanted.push_back(next < s.tokens.size() ? s.tokens[next] : -1);
    }
    HeadRows head;
    if (states.empty()) return head;
    const int n = static_cast<int>(states.size()), vocab = model_.info.config.llama.vocab_size;
    newest = newest && needs_head(s, rows.back());
    if (newest && n == 1) {
        float* const row = s.next.start(vocab);
        forward_.head(states, row);
        head.logits = row;
    } else {
        head.logits = forward_.head(states);
        const int last[] = {n - 1};
        if (newest) model_.backend->gather(head.logits, last, vocab, s.next.start(vocab));
    }
    const bool known = std::any_of(wanted.begin(), wanted.end(), [](int token) { return token >= 0; });
    const int best = std::max(s.request.alternatives, newest ? s.sampler.candidates() : 0);
    head.picks = model_.backend->pick(head.logits, n, vocab, best, known ? wanted : std::vector<int>{});
    if (newest) s.next.set_pick(head.picks.back());
    return head;
}

/// Makes the records of a finished chunk, computing logits, some rows at a time, where somebody needs them. What a
/// row says about the token that follows is kept in the sequence until that token's record is made.
void Finisher::read_head(Sequence& s, std::vector<FinishedToken>& tokens) {
    auto& rows = s.chunk->rows;
    const auto vocab = static_cast<std::size_t>(model_.info.config.llama.vocab_size);
    for (std::size_t begin = 0; begin < rows.size(); begin += kHeadRows) {
        const std::size_t end = std::min(rows.size(), begin + kHeadRows);
        const HeadRows computed = head_rows(s, std::span(rows).subspan(begin, end - begin), end == rows.size());
        std::size_t at = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const bool head = needs_head(s, rows[i]);
            const int x = rows[i].x;
            tokens.push_back(maker_.make(s, rows[i], head));
            tokens.back().record.logprob = std::exchange(s.next_logprob, kNotEvaluated);
            tokens.back().record.top = std::exchange(s.next_top, {});
            if (s.request.keep_tensors) tokens.back().final_hidden = forward_.state(x);
            if (!head) continue;
            if (s.request.keep_tensors) {
                tokens.back().logits.resize(vocab);
                model_.backend->download(computed.logits + at * vocab, vocab, tokens.back().logits.data());
            }
            const Pick& pick = computed.picks[at++];
            s.next_top = maker_.alternatives(pick, s.request.alternatives);
            s.next_logprob = pick.wanted - pick.log_sum_exp;  // not a number where the next token is not known
        }
    }
}

/// Fills TokenRecord::exits from the states the rows could have stopped with.
void Finisher::read_exits(Chunk& chunk, std::vector<FinishedToken>& tokens) {
    forward_.finish_exits(chunk);
    const int vocab = model_.info.config.llama.vocab_size;
    for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
        const auto& states = chunk.rows[i].exits;
        if (states.empty()) continue;
        const int most = chunk.sequence->request.alternatives;
        const auto picks = model_.backend->pick(forward_.head(states), static_cast<int>(states.size()), vocab, most);
        for (std::size_t r = 0; r < picks.size(); ++r)
            tokens[i].record.exits.push_back({static_cast<int>(r), maker_.alternatives(picks[r], most)});
    }
}

/// The newest known token has been through the model: ends the request or chooses the next token.
void Finisher::decide_next(Sequence& s, TokenRecord& newest) const {
    const LlamaConfig& c = model_.info.config.llama;
    const int decoded = static_cast<int>(s.tokens.size() - s.request.prompt.size());
    const bool eos = std::find(c.eos_token_id.begin(), c.eos_token_id.end(), newest.token) != c.eos_token_id.end();
    if (eos && decoded > 0 && !s.request.ignore_eos)
        s.end(Finish::Eos);
    else if (decoded >= s.request.max_tokens)
        s.end(Finish::MaxTokens);
    else if (static_cast<int>(s.tokens.size()) >= c.max_position_embeddings)
        s.end(Finish::Context);
    else
        choose_next(s);
    newest.finish = s.finish;
    if (s.finish != Finish::None && s.text) newest.text += s.text->flush();
}

void Finisher::choose_next(Sequence& s) const {
    const auto [token, logit] = s.next.choose(s.sampler);
    s.next_logprob = logit - s.next.pick().log_sum_exp;
    s.next_time_ms = s.elapsed_ms();
    s.tokens.push_back(token);
}

}  // namespace mor
