// SPDX-License-Identifier: Apache-2.0
#include "run_summary.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "format.hpp"

namespace mor::cli {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

double rate(int count, double seconds) {
    return count > 0 && seconds > 0 ? count / seconds : std::numeric_limits<double>::quiet_NaN();
}

std::string ending(Finish finish) {
    switch (finish) {
        case Finish::Eos:
            return "the model ended the text";
        case Finish::MaxTokens:
            return "reached --max-tokens";
        case Finish::Context:
            return "reached the end of the context";
        case Finish::Cancelled:
            return "interrupted";
        case Finish::None:
            break;
    }
    return "still running";
}

}  // namespace

void RunSummary::add(const TokenRecord& record) {
    end_ = Clock::now();
    if (record.prompt) {
        ++prompt_tokens_;
        prompt_read_ = end_;
    } else {
        if (decoded_tokens_++ == 0) first_token_ms_ = record.time_ms;
    }
    depth_sum_ += record.depth;
    flops_ += record.flops;
    flops_vanilla_ += record.flops_vanilla;
    kv_ = record.kv;
    if (record.finish != Finish::None) finish_ = record.finish;
}

void RunSummary::end(const Scheduler& scheduler, int request, bool interrupted) {
    if (interrupted && finish_ == Finish::None) finish_ = Finish::Cancelled;
    if (prompt_tokens_ > 0) logits_hash_ = hash_of(scheduler.last_logits(request));
}

double RunSummary::decode_tokens_per_second() const { return rate(decoded_tokens_, seconds_between(prompt_read_, end_)); }

double RunSummary::prefill_tokens_per_second() const { return rate(prompt_tokens_, seconds_between(begin_, prompt_read_)); }

std::string RunSummary::text(const ModelInfo& info) const {
    const int tokens = prompt_tokens_ + decoded_tokens_;
    const int recursions = info.config.mor.num_recursion;
    std::string text = grouped(prompt_tokens_) + " prompt + " + grouped(decoded_tokens_) + " decoded tokens, " +
                       ending(finish_) + "\n" + fixed(decode_tokens_per_second(), 1) + " tokens/s, prompt " +
                       fixed(prefill_tokens_per_second(), 1) + " tokens/s, first token after " + fixed(first_token_ms_, 1) +
                       " ms\n";
    if (recursions > 0 && tokens > 0)
        text +=
            "mean depth " + fixed(static_cast<double>(depth_sum_) / tokens, 2) + " of " + std::to_string(recursions) + ", ";
    const std::int64_t used = sum_of(kv_.used);
    text += "KV " + bytes_text(used) + ", vanilla " + bytes_text(kv_.vanilla) + " computed (" +
            saving_text(used, kv_.vanilla) + ")\n";
    return text + "logits " + (logits_hash_.empty() ? "-" : logits_hash_) + "\n";
}

std::string RunSummary::json() const {
    const int tokens = prompt_tokens_ + decoded_tokens_;
    nlohmann::ordered_json line{
        {"type", "summary"},
        {"finish", name_of(finish_)},
        {"prompt_tokens", prompt_tokens_},
        {"decoded_tokens", decoded_tokens_},
        {"seconds", seconds_between(begin_, end_)},
        {"tokens_per_second", decode_tokens_per_second()},
        {"prefill_tokens_per_second", prefill_tokens_per_second()},
        {"first_token_ms", first_token_ms_},
        {"mean_depth", tokens > 0 ? static_cast<double>(depth_sum_) / tokens : std::numeric_limits<double>::quiet_NaN()},
        {"kv_used", sum_of(kv_.used)},
        {"kv_reserved", sum_of(kv_.reserved)},
        {"kv_vanilla", kv_.vanilla},
        {"flops", flops_},
        {"flops_vanilla", flops_vanilla_},
        {"logits_hash", logits_hash_}};
    return line.dump();
}

}  // namespace mor::cli
