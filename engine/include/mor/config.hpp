// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mor/types.hpp"

namespace mor {

/// config.json: a Hugging Face Llama configuration. Field names are those of the file.
struct LlamaConfig {
    int hidden_size = 0;
    int intermediate_size = 0;
    int num_hidden_layers = 0;  ///< layers executed at full depth, before sharing
    int num_attention_heads = 0;
    int num_key_value_heads = 0;
    int head_dim = 0;
    int vocab_size = 0;
    int max_position_embeddings = 0;  ///< the context, in tokens
    float rms_norm_eps = 0;
    double rope_theta = 10000.0;
    std::vector<int> eos_token_id;  ///< empty: nothing ends a text but its length
};

/// mor.json: the official configuration's `recursive`, `kv_sharing` and `mor` sections, in one plain struct.
struct MorConfig {
    Sharing sharing = Sharing::None;
    int num_recursion = 0;  ///< R; 0 for vanilla
    Routing routing = Routing::None;
    KvPolicy kv_policy = KvPolicy::RecursionWise;
    std::vector<double> capacity;  ///< [R] share of all tokens taken by TopK; expert choice only
    double temp = 1.0;             ///< the main router sees x / temp
    double alpha = 1.0;            ///< gate = alpha * router_func(logit)
    bool gated = true;             ///< `gating: weighted`
    RouterShape router_type = RouterShape::Linear;
    RouterFunction router_func = RouterFunction::Sigmoid;
    ExpertSampling sampling = ExpertSampling::AuxLoss;
    Balancing balancing = Balancing::Loss;
};

struct ModelConfig {
    LlamaConfig llama;
    MorConfig mor;
};

/// Whether there is a state after each recursion with which a token could stop (Request::exits): not in vanilla models,
/// and not where a recursion is one repetition of one layer.
inline bool has_exits(const MorConfig& c) { return c.sharing == Sharing::Cycle || c.sharing == Sharing::MiddleCycle; }

/// Reads and checks DIRECTORY/config.json and, where present, DIRECTORY/mor.json. Throws Error.
ModelConfig read_config(const std::filesystem::path& directory);

/// Words as they stand in the files and on the command line.
const char* name_of(Sharing);
const char* name_of(Routing);
const char* name_of(KvPolicy);
const char* name_of(SelectionRule);
const char* name_of(ExpertSampling);
const char* name_of(Outcome);
const char* name_of(Finish);
const char* name_of(DType);

}  // namespace mor
