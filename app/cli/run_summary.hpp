// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "mor/session.hpp"

namespace mor::cli {

/// What one request cost, gathered from its records while it runs.
class RunSummary {
public:
    void add(const TokenRecord&);
    /// Call when nothing more will be computed; the logits are those after the last finished token.
    void end(const Scheduler&, int request, bool interrupted);

    int prompt_tokens() const { return prompt_tokens_; }
    int decoded_tokens() const { return decoded_tokens_; }
    double decode_tokens_per_second() const;   ///< NaN when nothing was decoded
    double prefill_tokens_per_second() const;  ///< NaN before the prompt was read

    /// For people, on a few short lines.
    std::string text(const ModelInfo&) const;
    /// {"type": "summary", ...} on one line.
    std::string json() const;

private:
    using Clock = std::chrono::steady_clock;

    Clock::time_point begin_ = Clock::now();
    Clock::time_point prompt_read_ = begin_;
    Clock::time_point end_ = begin_;
    int prompt_tokens_ = 0;
    int decoded_tokens_ = 0;
    std::int64_t depth_sum_ = 0;
    std::int64_t flops_ = 0;
    std::int64_t flops_vanilla_ = 0;
    double first_token_ms_ = kNotEvaluated;
    KvUse kv_;
    Finish finish_ = Finish::None;
    std::string logits_hash_;
};

}  // namespace mor::cli
