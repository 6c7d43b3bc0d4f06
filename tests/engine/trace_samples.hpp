// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "engine/golden.hpp"
#include "mor/trace.hpp"

namespace mor::testing {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

inline TraceHeader sample_header() {
    TraceHeader h;
    h.engine_version = "0.1.0";
    h.model_name = "Prose \"r3\" · 한글";
    h.model_hash = "0123456789abcdef";
    h.config = read_config(reference_directory("mor_expert_mc_kvshare"));
    h.prompt = "line one\nline\ttwo \x01 \xF0\x9F\x98\x80";
    h.prompt_tokens = 2;
    h.max_tokens = 64;
    h.sampling = {0.7f, 40, 0.95f, std::numeric_limits<std::uint64_t>::max()};
    h.routing.rule = SelectionRule::TopK;
    h.routing.threshold = 0.1;
    h.routing.head = RoutingHead::Auxiliary;
    h.routing.fixed_depth = 2;
    h.routing.forced_depth = {{0, 3}, {255, 0}};
    h.kv_policy = KvPolicy::RecursiveSharing;
    h.kv_type = DType::BF16;
    h.device = "CPU · avx512 · 2 threads";
    return h;
}

inline TokenRecord sample_token(int position) {
    TokenRecord t;
    t.position = position;
    t.token = 17;
    t.text = " the";
    t.label = " the";
    t.prompt = position < 2;
    t.depth = 2;
    t.recursions = {{Outcome::Take, 0.1f, 1e-42f, 0.524979f, 7.038531e-26f, 3.4e38f},
                    {Outcome::KvOnly, -0.0f, kNotEvaluated, 0.3f, kNotEvaluated, kInfinity},
                    {}};
    t.kv = {{256, 512, 1024, 0}, {4096, 4096, 4096, 0}, std::numeric_limits<std::int64_t>::max()};
    t.flops = 123'456'789'012;
    t.flops_vanilla = 9'007'199'254'740'993;
    t.logprob = -kInfinity;
    t.top = {{17, " the", -0.25f}, {0, "\"\\\x1f", kNotEvaluated}};
    t.exits = {{0, {{3, "x", -1}}}, {2, {}}};
    t.time_ms = 12.3;
    t.finish = position > 3 ? Finish::Context : Finish::None;
    return t;
}

inline PassRecord sample_pass() {
    PassRecord p;
    p.segment = 2;
    p.rows = {{0, 7, 1, {Outcome::Leave, 0.1f, 0.2f, 0.3f, kNotEvaluated, 0.4f}}, {3, 255, -1, {}}};
    p.computed_rows = 1;
    p.waiting = 3;
    p.running = 2;
    p.milliseconds = 0.125;
    p.kv_blocks_in_use = 3;
    p.kv_blocks_total = 64;
    return p;
}

}  // namespace mor::testing
