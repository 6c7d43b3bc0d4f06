// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mor/config.hpp"

/// Sharing strategy and KV policy, compiled once into the list of segments that the forward pass walks.
namespace mor {

/// How a segment chooses the rows it runs.
enum class Route : std::uint8_t {
    None,          ///< all of them
    Expert,        ///< this recursion's router decides about every live row
    TokenChoice,   ///< first recursion: the router fixes each row's depth
    TokenContinue  ///< later recursions: rows whose depth is larger go on
};

/// What becomes of the block's output y; x is the row's state at block entry.
enum class Combine : std::uint8_t {
    Replace,    ///< x = y
    AddGated,   ///< x += gate * y
    AddAtDepth  ///< y is kept; after the row's last recursion x += gate * y
};

struct PlanLayer {
    int executed = 0;    ///< which of the executed layers; weights are looked up by it
    int slot = 0;        ///< KV slot it reads
    bool writes = true;  ///< it stores K/V there first
};

struct Segment {
    int recursion = -1;  ///< zero-based; -1 outside the recursions
    std::vector<PlanLayer> layers;
    Route route = Route::None;
    Combine combine = Combine::Replace;
    bool keeps_all_kv = false;  ///< rows that are not taken still store K/V (recursion 0 under KV sharing)
};

/// One K/V store per (recursion, layer of the block) or per layer outside.
struct Slot {
    int recursion = -1;
    int group = 0;           ///< membership group: 0 every token, r + 1 the tokens in recursion r
    int layer_in_group = 0;  ///< its place in the group's blocks
};

struct Plan {
    KvPolicy policy = KvPolicy::RecursionWise;
    std::vector<Segment> segments;
    std::vector<Slot> kv_slots;
    std::vector<int> group_layers;  ///< [groups] slots in each membership group
    int join = 0;                   ///< the segment where rows that left earlier wait for the others
};

/// Throws Error when the policy is impossible for this model.
Plan compile_plan(const ModelConfig&, KvPolicy);

/// Where the weights of each executed layer are stored.
struct LayerNames {
    std::vector<std::string> prefixes;  ///< tried in order: the layer's own name, then its owner's
};

/// [num_hidden_layers]; names as the official checkpoints spell them.
std::vector<LayerNames> layer_names(const ModelConfig&);

/// Prefix of the module that holds recursion r's routers, for routed models ("model.layers.1.").
std::string router_prefix(const ModelConfig&, int recursion);

}  // namespace mor
