// SPDX-License-Identifier: Apache-2.0
#include "io/json_writer.hpp"
#include "io/names.hpp"
#include "trace/format.hpp"

namespace mor {
namespace {

void write_llama(JsonWriter& out, const LlamaConfig& c) {
    out.key("config");
    out.open_object();
    out.member("model_type", "llama");
    out.member("hidden_size", c.hidden_size);
    out.member("intermediate_size", c.intermediate_size);
    out.member("num_hidden_layers", c.num_hidden_layers);
    out.member("num_attention_heads", c.num_attention_heads);
    out.member("num_key_value_heads", c.num_key_value_heads);
    out.member("head_dim", c.head_dim);
    out.member("vocab_size", c.vocab_size);
    out.member("max_position_embeddings", c.max_position_embeddings);
    out.member("rms_norm_eps", c.rms_norm_eps);
    out.member("rope_theta", c.rope_theta);
    out.member("eos_token_id", c.eos_token_id);
    out.close_object();
}

/// The part of mor.json that belongs to the kind of routing.
void write_routing(JsonWriter& out, const MorConfig& m) {
    const bool expert = m.routing == Routing::ExpertChoice;
    out.key("mor");
    out.open_object();
    out.member("enable", true);
    out.member("type", word_of(m.routing));
    if (expert) out.member("capacity", m.capacity);
    out.member("router_type", word_of(m.router_type));
    out.member("temp", m.temp);
    out.key(word_of(m.routing));
    out.open_object();
    out.key("router_func");
    m.router_func == RouterFunction::Identity ? out.null() : out.value(word_of(m.router_func));
    out.member("alpha", m.alpha);
    if (expert) out.member("sampling", word_of(m.sampling));
    if (!expert) out.member("balancing", word_of(m.balancing));
    out.key("gating");
    m.gated ? out.value("weighted") : out.null();
    out.close_object();
    out.close_object();
}

void write_mor(JsonWriter& out, const MorConfig& m) {
    if (m.sharing == Sharing::None) return;
    out.key("mor");
    out.open_object();
    out.key("recursive");
    out.open_object();
    out.member("enable", true);
    out.member("num_recursion", m.num_recursion);
    out.member("sharing", word_of(m.sharing));
    out.close_object();
    out.key("kv_sharing");
    out.open_object();
    out.member("enable", m.kv_policy == KvPolicy::RecursiveSharing);
    out.close_object();
    if (m.routing != Routing::None) write_routing(out, m);
    out.close_object();
}

void write_settings(JsonWriter& out, const TraceHeader& h) {
    out.key("sampling");
    out.open_object();
    out.member("temperature", h.sampling.temperature);
    out.member("top_k", h.sampling.top_k);
    out.member("top_p", h.sampling.top_p);
    out.member("seed", h.sampling.seed);
    out.close_object();
    out.key("routing");
    out.open_object();
    out.member("rule", word_of(h.routing.rule));
    out.member("threshold", h.routing.threshold);
    out.member("head", word_of(h.routing.head));
    if (h.routing.fixed_depth) out.member("fixed_depth", *h.routing.fixed_depth);
    if (!h.routing.forced_depth.empty()) {
        out.key("forced_depth");
        out.open_list();
        for (const auto& [position, depth] : h.routing.forced_depth) out.value(std::vector<int>{position, depth});
        out.close_list();
    }
    out.close_object();
}

/// The members of a decision, into an object that is already open.
void write_decision(JsonWriter& out, const Decision& d) {
    if (d.outcome != Outcome::NotOffered) out.member("outcome", word_of(d.outcome));
    out.member("logit", d.logit);
    out.member("aux", d.aux_logit);
    out.member("score", d.score);
    out.member("gate", d.gate);
    out.member("margin", d.margin);
}

void write_alternatives(JsonWriter& out, const std::vector<Alternative>& top) {
    out.key("top");
    out.open_list();
    for (const auto& a : top) {
        out.open_object();
        out.member("token", a.token);
        out.member("piece", a.label);
        out.member("logprob", a.logprob);
        out.close_object();
    }
    out.close_list();
}

void write_exits(JsonWriter& out, const std::vector<Exit>& exits) {
    out.key("exits");
    out.open_list();
    for (const auto& e : exits) {
        out.open_object();
        out.member("recursion", e.recursion);
        write_alternatives(out, e.top);
        out.close_object();
    }
    out.close_list();
}

void write_kv(JsonWriter& out, const KvUse& kv) {
    out.key("kv");
    out.open_object();
    if (!kv.used.empty()) out.member("used", kv.used);
    if (!kv.reserved.empty()) out.member("reserved", kv.reserved);
    out.member("vanilla", kv.vanilla);
    out.close_object();
}

}  // namespace

std::string to_json(const TraceHeader& h) {
    JsonWriter out;
    out.open_object();
    out.member("type", "header");
    out.member("version", h.version);
    out.member("engine_version", h.engine_version);
    out.member("model_name", h.model_name);
    out.member("model_hash", h.model_hash);
    write_llama(out, h.config.llama);
    write_mor(out, h.config.mor);
    out.member("prompt", h.prompt);
    out.member("prompt_tokens", h.prompt_tokens);
    out.member("max_tokens", h.max_tokens);
    write_settings(out, h);
    out.member("kv_policy", word_of(h.kv_policy));
    out.member("kv_type", word_of(h.kv_type));
    out.member("device", h.device);
    out.close_object();
    return out.take();
}

void write_json(JsonWriter& out, const TokenRecord& t) {
    out.open_object();
    out.member("type", "token");
    out.member("request", t.request);
    out.member("position", t.position);
    out.member("token", t.token);
    out.member("piece", t.text);
    out.member("label", t.label);
    if (t.prompt) out.member("prompt", true);
    out.member("depth", t.depth);
    if (!t.recursions.empty()) {
        out.key("recursions");
        out.open_list();
        for (const auto& d : t.recursions) {
            out.open_object();
            write_decision(out, d);
            out.close_object();
        }
        out.close_list();
    }
    write_kv(out, t.kv);
    out.member("flops", t.flops);
    out.member("flops_vanilla", t.flops_vanilla);
    out.member("logprob", t.logprob);
    if (!t.top.empty()) write_alternatives(out, t.top);
    if (!t.exits.empty()) write_exits(out, t.exits);
    out.member("time_ms", t.time_ms);
    if (t.finish != Finish::None) out.member("finish", word_of(t.finish));
    out.close_object();
}

void write_json(JsonWriter& out, const PassRecord& p) {
    out.open_object();
    out.member("type", "pass");
    out.member("segment", p.segment);
    out.key("rows");
    out.open_list();
    for (const auto& row : p.rows) {
        out.open_object();
        out.member("request", row.request);
        out.member("position", row.position);
        if (row.recursion >= 0) out.member("recursion", row.recursion);
        write_decision(out, row.decision);
        out.close_object();
    }
    out.close_list();
    out.member("computed_rows", p.computed_rows);
    if (p.waiting >= 0) out.member("waiting", p.waiting);
    if (p.running >= 0) out.member("running", p.running);
    out.member("milliseconds", p.milliseconds);
    out.member("kv_blocks_in_use", p.kv_blocks_in_use);
    out.member("kv_blocks_total", p.kv_blocks_total);
    out.close_object();
}

std::string to_json(const TokenRecord& t) {
    JsonWriter out;
    write_json(out, t);
    return out.take();
}

std::string to_json(const PassRecord& p) {
    JsonWriter out;
    write_json(out, p);
    return out.take();
}

}  // namespace mor
