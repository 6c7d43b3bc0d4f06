// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "mor/model.hpp"
#include "mor/session.hpp"

namespace mor {

struct Perplexity {
    double nats_per_token = 0;
    double bits_per_byte = 0;  ///< over the bytes of the predicted tokens; NaN without a tokenizer
    double mean_depth = 0;     ///< over the tokens read
    std::int64_t tokens = 0;   ///< predicted tokens
};

/// Disjoint windows of C = context tokens, C - 1 predictions each; what is left at the end is dropped, a shorter
/// text is one window. Nothing is added in front. TopK selects within a window of C tokens.
/// progress(done, total) is called after every window, when given.
Perplexity perplexity(std::shared_ptr<const Model>, std::span<const int> tokens, const RoutingSettings& = {},
                      const KvSettings& = {}, std::stop_token = {}, const std::function<void(int, int)>& progress = {});

/// Runs `tokens` as one prompt and writes its tensors, named as tests/data/reference/README.md does, without the
/// prompt suffix, to a safetensors file (written beside it and renamed).
void dump(std::shared_ptr<const Model>, std::span<const int> tokens, const RoutingSettings&, const KvSettings&,
          const std::filesystem::path& out);

/// Multiply-adds counted as two operations; norms are not counted. Pure functions of plan and outcomes.
struct FlopCount {
    std::int64_t spent = 0;
    std::int64_t vanilla = 0;
};

/// One token at `position` that saw `visible[r]` entries in each recursion it took (and position + 1 outside).
/// `decisions` is [R]; empty for unrouted models. `head` says whether logits were computed for it. `router_inner` is
/// the width of an MLP router's hidden layer, 0 for a linear one.
FlopCount count_flops(const ModelConfig&, KvPolicy, int position, const std::vector<Decision>& decisions,
                      const std::vector<int>& visible, bool head, int router_inner = 0);

}  // namespace mor
