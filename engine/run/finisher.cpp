// SPDX-License-Identifier: Apache-2.0
#include "run/finisher.hpp"

#include <algorithm>
#include <utility>

namespace mor {
namespace {

bool is_newest(const Sequence& s, const Row& r) { return r.position + 1 == static_cast<int>(s.tokens.size()); }

bool needs_head(const Sequence& s, const Row& r) {
    return is_newest(s, r) || s.request.prompt_logprobs || s.request.keep_tensors;
}

}  // namespace

class Finisher::Answers {
public:
    explicit Answers(std::vector<HeadAnswer> all) : all_(std::move(all)) {}
    HeadAnswer& next() { return all_[at_++]; }

private:
    std::vector<HeadAnswer> all_;
    std::size_t at_ = 0;
};

std::exception_ptr Finisher::finish(std::span<Chunk* const> done, Events& events) {
    if (done.empty()) return nullptr;
    forward_.finish_exits(done);
    std::vector<HeadRow> rows, exits;
    for (const Chunk* c : done) ask(*c, rows, exits);
    // Apart, so that asking for exits changes no bit of anything else: sums depend on the number of rows.
    Answers answers(head_.read(rows)), exit_answers(head_.read(exits));
    std::vector<std::vector<FinishedToken>> tokens;
    for (Chunk* c : done) {
        c->sequence->kv.trim();
        tokens.push_back(make_tokens(*c, answers, exit_answers));
    }
    std::exception_ptr failure;
    for (std::size_t i = 0; i < done.size(); ++i) {
        Sequence& s = *done[i]->sequence;
        s.finished_tokens += static_cast<int>(s.chunk->rows.size());
        forward_.leave(*s.chunk);
        s.chunk.reset();
        try {
            if (s.finished_tokens == static_cast<int>(s.tokens.size())) decide_next(s, tokens[i].back().record);
        } catch (...) {
            failure = std::current_exception();
            s.end(Finish::Cancelled);
            tokens[i].back().record.finish = s.finish;
        }
        std::move(tokens[i].begin(), tokens[i].end(), std::back_inserter(events.tokens));
    }
    return failure;
}

/// The rows that need the head, and the states that rows could have stopped with.
void Finisher::ask(const Chunk& chunk, std::vector<HeadRow>& rows, std::vector<HeadRow>& exits) const {
    Sequence& s = *chunk.sequence;
    for (const Row& r : chunk.rows) {
        if (needs_head(s, r)) {
            HeadRow row{.state = r.x, .best = s.request.alternatives, .whole = s.request.keep_tensors};
            if (is_newest(s, r)) {
                row.keep = s.next.place();
                row.best = std::max(row.best, s.sampler.candidates());
                row.whole = row.whole || s.sampler.candidates() == 0;
            } else {
                row.wanted = s.tokens[static_cast<std::size_t>(r.position) + 1];
            }
            rows.push_back(row);
        }
        for (const int state : r.exits) exits.push_back({.state = state, .best = s.request.alternatives});
    }
}

/// What a row says about the token that follows is kept in the sequence until that token's record is made.
std::vector<FinishedToken> Finisher::make_tokens(Chunk& chunk, Answers& answers, Answers& exits) const {
    Sequence& s = *chunk.sequence;
    std::vector<FinishedToken> tokens;
    for (Row& r : chunk.rows) {
        const bool head = needs_head(s, r), newest = is_newest(s, r);
        FinishedToken t = maker_.make(s, r, head);
        t.record.logprob = std::exchange(s.next_logprob, kNotEvaluated);
        t.record.top = std::exchange(s.next_top, {});
        if (s.request.keep_tensors) t.final_hidden = forward_.state(r.x);
        if (head) {
            HeadAnswer& answer = answers.next();
            s.next_top = maker_.alternatives(answer.pick, s.request.alternatives);
            s.next_logprob = answer.pick.wanted - answer.pick.log_sum_exp;  // not a number where nothing is known to follow
            if (s.request.keep_tensors) t.logits = answer.logits;
            if (newest) s.next.set(std::move(answer.pick), std::move(answer.logits));
        }
        for (std::size_t i = 0; i < r.exits.size(); ++i)
            t.record.exits.push_back({static_cast<int>(i), maker_.alternatives(exits.next().pick, s.request.alternatives)});
        tokens.push_back(std::move(t));
    }
    return tokens;
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
