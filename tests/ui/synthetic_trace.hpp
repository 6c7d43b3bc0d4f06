// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "mor/trace.hpp"

/// Plausible runs without a model, the same on every machine: for tests of views and models only.
namespace mor::test {

/// SplitMix64 (Steele, Lea, Flood 2014): repeatable on every platform, unlike the distributions of <random>.
class Repeatable {
public:
    explicit Repeatable(std::uint64_t seed) : state_(seed) {}
    double uniform() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
    }

private:
    std::uint64_t state_;
};

struct SyntheticOptions {
    int tokens = 47;
    int prompt = 11;
    int recursions = 3;
    Routing routing = Routing::ExpertChoice;
    KvPolicy kvPolicy = KvPolicy::RecursionWise;
    SelectionRule rule = SelectionRule::Threshold;
    std::uint64_t seed = 1;
};

inline TraceHeader syntheticHeader(const SyntheticOptions& options = {}) {
    TraceHeader header;
    header.engine_version = "0.1.0";
    header.model_name = "Synthetic";
    header.model_hash = "0123456789abcdef";
    auto& llama = header.config.llama;
    llama.hidden_size = 256;
    llama.intermediate_size = 704;
    llama.rms_norm_eps = 1e-5f;
    llama.rope_theta = 10000;
    llama.num_hidden_layers = options.recursions > 0 ? 2 + 2 * options.recursions : 8;
    llama.num_attention_heads = 4;
    llama.num_key_value_heads = 2;
    llama.head_dim = 64;
    llama.vocab_size = 4096;
    llama.max_position_embeddings = std::max(512, options.tokens);
    auto& mor = header.config.mor;
    mor.num_recursion = options.recursions;
    mor.sharing = options.recursions > 0 ? Sharing::MiddleCycle : Sharing::None;
    mor.routing = options.recursions > 0 ? options.routing : Routing::None;
    if (mor.routing == Routing::ExpertChoice)
        for (int r = 0; r < options.recursions; ++r)
            mor.capacity.push_back(1.0 - static_cast<double>(r) / options.recursions);
    mor.kv_policy = header.kv_policy = options.kvPolicy;
    header.routing.rule = options.rule;
    header.prompt = "The king said to his servant, \"Go down to the river";
    header.prompt_tokens = options.prompt;
    header.max_tokens = options.tokens - options.prompt;
    header.device = "CPU";
    return header;
}

/// Makes the tokens of a run one by one.
class SyntheticRun {
public:
    explicit SyntheticRun(const SyntheticOptions& options) : options_(options), random_(options.seed) {
        entries_.assign(static_cast<std::size_t>(options.recursions) + 1, 0);
    }

    TokenRecord next() {
        TokenRecord record;
        record.position = count_;
        record.token = 100 + count_ % 40;
        record.text = record.label = pieces()[static_cast<std::size_t>(count_) % pieces().size()];
        record.prompt = count_ < options_.prompt;
        decide(record);
        keep(record);
        record.flops = 1'500'000 + 1'400'000 * (options_.recursions == 0 ? 1 : record.depth);
        record.flops_vanilla = 1'500'000 + 1'400'000 * std::max(1, options_.recursions);
        record.time_ms = record.prompt ? 12.0 : 18.0 + 2.5 * (count_ - options_.prompt);
        if (!record.prompt) speak(record);
        ++count_;
        return record;
    }

private:
    static const std::vector<std::string>& pieces() {
        static const std::vector<std::string> words{
            "The",  " king",   " said",  " to",  " his",     " servant", ",",     " \"",     "Go",    " down",
            " to",  " the",    " river", ",",    " and",     " bring",   " me",   " the",    " man",  " whom",
            " you", " saw",    " there", ".\"",  "\n",       "El",       "inor",  ",",       " who",  " had",
            " not", " spoken", " since", " the", " morning", ",",        " rose", " at",     " once", " from",
            " the", " table",  ",",      " and", " walked",  " into",    " the",  " garden", "."};
        return words;
    }

    void decide(TokenRecord& record) {
        if (options_.recursions == 0) return;
        if (options_.routing == Routing::None) {
            record.depth = options_.recursions;
            return;
        }
        record.recursions.resize(static_cast<std::size_t>(options_.recursions));
        if (options_.routing == Routing::TokenChoice)
            chooseDepth(record);
        else
            offer(record);
    }

    /// Expert choice: recursion after recursion; most scores are near 0 or 1, as in a trained router.
    void offer(TokenRecord& record) {
        bool live = true;
        for (int r = 0; r < options_.recursions && live; ++r) {
            auto& decision = record.recursions[static_cast<std::size_t>(r)];
            const double keep = r == 0 ? 0.97 : 0.72 - 0.12 * r;
            const bool stays = random_.uniform() < keep;
            const double away = std::pow(random_.uniform(), 2.5) * 0.5;
            decision.score = static_cast<float>(stays ? 1.0 - away : away);
            decision.logit = std::log(decision.score / (1 - decision.score + 1e-6f) + 1e-6f);
            live = decision.score >= 0.5f;
            decision.outcome = live ? Outcome::Take : Outcome::Leave;
            if (!live && r == 0 && options_.kvPolicy == KvPolicy::RecursiveSharing) decision.outcome = Outcome::KvOnly;
            decision.margin = std::abs(decision.logit);
            if (!live) decision.margin = -decision.margin;
            if (live) {
                decision.gate = 0.1f * decision.score;
                ++record.depth;
            }
        }
    }

    /// Token choice: probabilities of all depths at once, the best one is taken.
    void chooseDepth(TokenRecord& record) {
        double sum = 0;
        std::vector<double> weights;
        for (int r = 0; r < options_.recursions; ++r) {
            weights.push_back(std::exp(3 * random_.uniform()));
            sum += weights.back();
        }
        for (int r = 0; r < options_.recursions; ++r) {
            auto& decision = record.recursions[static_cast<std::size_t>(r)];
            decision.score = static_cast<float>(weights[static_cast<std::size_t>(r)] / sum);
            if (weights[static_cast<std::size_t>(r)] > weights[static_cast<std::size_t>(std::max(0, record.depth - 1))] ||
                r == 0)
                record.depth = r + 1;
        }
        for (int r = 0; r < record.depth; ++r) record.recursions[static_cast<std::size_t>(r)].outcome = Outcome::Take;
        auto& chosen = record.recursions[static_cast<std::size_t>(record.depth) - 1];
        chosen.gate = chosen.score;
    }

    /// 1 KiB an entry, two layers outside and two in a block; reserved in blocks of 16.
    void keep(TokenRecord& record) {
        const bool shared = options_.kvPolicy == KvPolicy::RecursiveSharing;
        for (std::size_t group = 0; group < entries_.size(); ++group) {
            const int recursion = static_cast<int>(group) - 1;
            const bool stores = recursion < 0 || (shared ? recursion == 0 : recursion < record.depth);
            if (stores) ++entries_[group];
            const std::int64_t layers = options_.recursions == 0 ? 8 : 2;
            record.kv.used.push_back(entries_[group] * layers * 1024);
            record.kv.reserved.push_back((entries_[group] + 15) / 16 * 16 * layers * 1024);
        }
        record.kv.vanilla = std::int64_t{count_ + 1} * (options_.recursions == 0 ? 8 : 2 + 2 * options_.recursions) * 1024;
    }

    void speak(TokenRecord& record) {
        record.logprob = static_cast<float>(std::log(0.15 + 0.8 * random_.uniform()));
        double share = std::exp(record.logprob);
        for (int i = 0; i < 5; ++i) {
            record.top.push_back(
                {200 + i, i == 0 ? record.label : pieces()[static_cast<std::size_t>(count_ + 7 * i) % pieces().size()],
                 static_cast<float>(std::log(share))});
            share = (1 - share) * 0.4 * share + 0.002;
        }
    }

    SyntheticOptions options_;
    Repeatable random_;
    int count_ = 0;
    std::vector<std::int64_t> entries_;
};

inline Trace syntheticTrace(const SyntheticOptions& options = {}) {
    Trace trace;
    trace.header = syntheticHeader(options);
    SyntheticRun run(options);
    for (int i = 0; i < options.tokens; ++i) trace.tokens.push_back(run.next());
    return trace;
}

/// The pass that shows `decision` about the token at `position` before the token is finished.
inline PassRecord syntheticPass(int position, int recursion, const Decision& decision) {
    PassRecord pass;
    pass.segment = recursion + 1;
    pass.rows.push_back({0, position, recursion, decision});
    pass.computed_rows = decision.outcome == Outcome::Take ? 1 : 0;
    return pass;
}

}  // namespace mor::test
