// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "mor/session.hpp"
#include "run/kv_cache.hpp"
#include "run/next_logits.hpp"
#include "run/sampler.hpp"

namespace mor {

struct Sequence;

/// One token on its way through the model.
struct Row {
    int position = 0;
    int token = 0;
    int x = 0;                               ///< row of the state pool: state at block entry
    int y = -1;                              ///< token choice: row of the block's running output
    int depth = 0;                           ///< recursions applied so far
    int target_depth = 0;                    ///< token choice: recursions it will get
    std::vector<int> ordinal;                ///< [groups] its entry in each membership group, -1: no member
    std::vector<Decision> decisions;         ///< [R], empty when nothing is routed
    std::vector<int> visible;                ///< [R] entries its attention saw in each recursion
    std::vector<int> exits;                  ///< [recursions applied] rows of the state pool, only when exits are asked for
    std::vector<std::vector<float>> hidden;  ///< [R], only when tensors are kept
};

/// Rows of one sequence that travel together: some prompt tokens, or one decoded token. All live rows are at
/// `segment`; rows that left wait for the join.
struct Chunk {
    Sequence* sequence = nullptr;
    std::vector<Row> rows;  ///< position order
    std::vector<int> live;  ///< indices into rows, ascending
    int segment = 0;
    std::int64_t waiting_since = 0;  ///< number of the pass it last took part in
};

/// Everything known about one request.
struct Sequence {
    using Clock = std::chrono::steady_clock;

    Sequence(int number, Request r, KvPool& pool, const Plan& plan, RowPool& logits,
             std::shared_ptr<const Tokenizer> tokenizer)
        : id(number),
          request(std::move(r)),
          kv(pool, plan),
          sampler(request.sampling),
          tokens(request.prompt),
          next(logits) {
        if (tokenizer) text.emplace(std::move(tokenizer));
    }

    /// Keeps what is stored, and nothing that was promised for later.
    void end(Finish why) {
        finish = why;
        kv.settle();
    }

    bool waits() const { return !begun && finish == Finish::None; }
    bool runs() const { return begun && finish == Finish::None; }
    bool decoding() const { return finished_tokens >= static_cast<int>(request.prompt.size()); }

    int id;
    Request request;
    KvSequence kv;
    Sampler sampler;
    std::vector<int> tokens;     ///< prompt and everything chosen
    bool begun = false;          ///< its turn has come: it holds a place among those that run
    int finished_tokens = 0;     ///< tokens that have been through the model
    std::optional<Chunk> chunk;  ///< in flight
    std::optional<StreamDecoder> text;
    NextLogits next;                     ///< after the newest finished token
    float next_logprob = kNotEvaluated;  ///< of the token that follows the newest finished one
    std::vector<Alternative> next_top;   ///< what else could follow
    double next_time_ms = 0;             ///< when that token was chosen
    Finish finish = Finish::None;        ///< set when the request has ended
    Clock::time_point started = Clock::now();

    double elapsed_ms() const { return std::chrono::duration<double, std::milli>(Clock::now() - started).count(); }
};

}  // namespace mor
