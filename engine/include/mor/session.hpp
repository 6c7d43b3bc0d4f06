// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "mor/model.hpp"
#include "mor/record.hpp"
#include "mor/settings.hpp"

namespace mor {

/// One text to process.
struct Request {
    std::vector<int> prompt;  ///< token ids; at least one, at most the context
    int max_tokens = 64;      ///< decoded tokens after the prompt; 0 only reads the prompt
    bool ignore_eos = false;
    Sampling sampling;
    RoutingSettings routing;
    int prefill_chunk = 0;  ///< prompt tokens per chunk; 0: what suits model and device, or the whole prompt under TopK
    int alternatives = 5;   ///< entries of TokenRecord::top
    bool prompt_logprobs = false;  ///< compute the head for every prompt token
    bool exits = false;            ///< fill TokenRecord::exits
    bool keep_tensors = false;     ///< fill FinishedToken::logits and ::hidden (dump, tests)
};

struct FinishedToken {
    TokenRecord record;
    std::vector<float> logits;  ///< [vocab] of the token that follows; only with keep_tensors
    std::vector<std::vector<float>>
        hidden;                       ///< [R][hidden] state after each recursion (a token that left: its state
                                      ///< when it left; token choice: the ungated block state); only with keep_tensors
    std::vector<float> final_hidden;  ///< [hidden] before the last norm; only with keep_tensors
};

/// What one pass produced.
struct Events {
    PassRecord pass;
    std::vector<FinishedToken> tokens;  ///< in position order within each request
};

struct KvSettings {
    std::optional<KvPolicy> policy;  ///< unset: the one the model was trained with
    DType type = DType::F32;
    int block_entries = 16;   ///< tokens per block
    int capacity_tokens = 0;  ///< tokens the pool holds at full depth; 0: context x max_requests
    int max_requests = 1;     ///< that run at once; more wait for their turn
};

/// Bytes and counts of one request's KV cache, straight from the allocator.
struct KvReport {
    std::vector<int> slot_recursion;    ///< [slots] -1 outside the recursions
    std::vector<int> slot_tokens;       ///< [slots] entries stored
    std::vector<int> slot_blocks;       ///< [slots] blocks held by the slot's membership group
    std::vector<int> recursion_tokens;  ///< [R] entries in one slot of the recursion; 0 where it owns none
    KvUse use;
};

/// Runs any number of requests over one model, one segment pass at a time; rows of different requests and
/// recursions share a pass when their segments have the same weights (continuous depth-wise batching). A request says the
/// same as it would alone, up to the rounding of sums (the number of rows in a product decides which kernel computes it).
///
/// Requests begin in the order they were submitted, at most KvSettings::max_requests at a time, when the KV pool has room
/// for prompt and max_tokens; until then they wait. One that has begun takes part in a pass again after a bounded number of
/// passes (run/pass_selection.hpp). A request that ended keeps what it stored in the KV pool until it is released.
///
/// Not thread-safe: one thread at a time calls it. submit() throws Error on a request that cannot run (empty prompt, token
/// outside the vocabulary, longer than the context, more tokens than the KV pool holds). Where advance() throws, the requests
/// it could not go on with have ended like cancelled ones, and the scheduler stays usable.
class Scheduler {
public:
    explicit Scheduler(std::shared_ptr<const Model>, const KvSettings& = {});
    ~Scheduler();

    int submit(Request);  ///< returns the request's number, from 0
    bool idle() const;    ///< nothing left to compute, or to throw
    Events advance();     ///< one pass; call only when not idle

    /// Ends the request at its last finished token; a token that was chosen and has not been through the model is dropped.
    void cancel(int request);

    /// Takes `more` further tokens for a request that ended with Finish::MaxTokens (at most up to the context). Throws Error
    /// and changes nothing when the KV pool has no room for them.
    void extend(int request, int more);

    /// Drops everything known about an ended or running request and gives its blocks back.
    void release(int request);

    bool running(int request) const;
    KvReport kv(int request) const;
    /// [vocab] after the newest finished token, empty before the first. While the request runs they are copied from the
    /// device by this call, and the span is good until the next advance().
    std::span<const float> last_logits(int request) const;
    const std::vector<int>& tokens(int request) const;  ///< all tokens finished or chosen
    const Model& model() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// One text, token by token: a Scheduler with a single request.
class Session {
public:
    explicit Session(std::shared_ptr<const Model>, const KvSettings& = {});
    ~Session();

    /// Starts a text and runs its prompt; returns the prompt's records. When `stop` asks for it the prompt is cut
    /// at a pass boundary, everything finished is kept, and the request is cancelled.
    std::vector<FinishedToken> prefill(Request, std::stop_token stop = {});

    /// Runs to the next finished token; empty when the text has ended.
    std::optional<FinishedToken> step(std::stop_token stop = {});

    bool finished() const;
    void cancel();
    KvReport kv() const;
    std::span<const float> last_logits() const;
    Scheduler& scheduler() { return scheduler_; }

private:
    Scheduler scheduler_;
    std::optional<int> request_;
};

}  // namespace mor
