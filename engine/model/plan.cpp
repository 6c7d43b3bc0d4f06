// SPDX-License-Identifier: Apache-2.0
#include "model/plan.hpp"

#include <map>

#include "mor/error.hpp"

namespace mor {
namespace {

/// One executed layer: whose weights it uses in an unrouted checkpoint, its recursion, its place in the block.
struct Executed {
    int owner = 0;
    int recursion = -1;
    int block_layer = 0;
};

bool is_middle(Sharing s) { return s == Sharing::MiddleCycle || s == Sharing::MiddleSequence; }
bool is_sequence(Sharing s) { return s == Sharing::Sequence || s == Sharing::MiddleSequence; }

std::vector<Executed> executed_layers(const ModelConfig& c) {
    const int layers = c.llama.num_hidden_layers;
    const int recursions = c.mor.num_recursion;
    std::vector<Executed> result;
    if (c.mor.sharing == Sharing::None) {
        for (int i = 0; i < layers; ++i) result.push_back({.owner = i});
        return result;
    }
    const int first = is_middle(c.mor.sharing) ? 1 : 0;
    const int depth = (layers - 2 * first) / recursions;
    if (first) result.push_back({.owner = 0});
    for (int j = 0; j < depth * recursions; ++j) {
        if (is_sequence(c.mor.sharing))  // a a a | b b b
            result.push_back({first + j / recursions * recursions, j % recursions, j / recursions});
        else  // a b | a b | a b
            result.push_back({first + j % depth, j / depth, j % depth});
    }
    if (first) result.push_back({.owner = layers - 1});
    return result;
}

void check_policy(const ModelConfig& c, KvPolicy policy) {
    if (policy != KvPolicy::RecursiveSharing) return;
    if (c.mor.sharing == Sharing::None) throw Error("recursive KV sharing needs a recursive model; this one is vanilla");
    if (c.mor.sharing == Sharing::MiddleSequence)
        throw Error("recursive KV sharing does not exist for middle_sequence models; use recursion-wise caching");
}

class Compiler {
public:
    Compiler(const ModelConfig& config, KvPolicy policy) : config_(config) { plan_.policy = policy; }

    Plan compile() {
        const auto layers = executed_layers(config_);
        for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
            if (plan_.segments.empty() || plan_.segments.back().recursion != layers[i].recursion) open(layers[i].recursion);
            plan_.segments.back().layers.push_back(place(i, layers[i]));
        }
        plan_.join = static_cast<int>(plan_.segments.size());
        if (routed() && plan_.segments.back().recursion < 0) --plan_.join;
        return std::move(plan_);
    }

private:
    bool routed() const { return config_.mor.routing != Routing::None; }
    bool sharing() const { return plan_.policy == KvPolicy::RecursiveSharing; }

    void open(int recursion) {
        Segment s{.recursion = recursion};
        if (recursion >= 0 && config_.mor.routing == Routing::ExpertChoice) {
            s.route = Route::Expert;
            s.combine = Combine::AddGated;
            s.keeps_all_kv = sharing() && recursion == 0;
        } else if (recursion >= 0 && config_.mor.routing == Routing::TokenChoice) {
            s.route = recursion == 0 ? Route::TokenChoice : Route::TokenContinue;
            s.combine = Combine::AddAtDepth;
        }
        plan_.segments.push_back(std::move(s));
    }

    PlanLayer place(int executed, const Executed& layer) {
        if (sharing() && layer.recursion > 0) return {executed, first_slot_.at(layer.block_layer), false};
        const int slot = new_slot(layer.recursion);
        if (layer.recursion == 0) first_slot_[layer.block_layer] = slot;
        return {executed, slot, true};
    }

    int new_slot(int recursion) {
        const bool everyone =
            recursion < 0 || !routed() || sharing() || (config_.mor.routing == Routing::TokenChoice && recursion == 0);
        const int group = everyone ? 0 : recursion + 1;
        if (static_cast<int>(plan_.group_layers.size()) <= group) plan_.group_layers.resize(group + 1);
        plan_.kv_slots.push_back({recursion, group, plan_.group_layers[group]++});
        return static_cast<int>(plan_.kv_slots.size()) - 1;
    }

    const ModelConfig& config_;
    Plan plan_;
    std::map<int, int> first_slot_;  ///< layer of the block -> recursion 0's slot
};

std::string layer_prefix(int module) { return "model.layers." + std::to_string(module) + "."; }

}  // namespace

Plan compile_plan(const ModelConfig& config, KvPolicy policy) {
    check_policy(config, policy);
    return Compiler(config, policy).compile();
}

std::vector<LayerNames> layer_names(const ModelConfig& c) {
    std::vector<LayerNames> names;
    const auto layers = executed_layers(c);
    const int first = is_middle(c.mor.sharing) ? 1 : 0;
    for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
        const auto& [owner, recursion, block_layer] = layers[i];
        const std::string l = std::to_string(block_layer) + ".";
        if (c.mor.routing == Routing::None) {
            names.push_back({{layer_prefix(i), layer_prefix(owner)}});
        } else if (recursion >= 0 && c.mor.routing == Routing::ExpertChoice) {
            names.push_back({{layer_prefix(first + recursion) + "block." + l, layer_prefix(first) + "block." + l}});
        } else if (recursion >= 0) {
            const std::string list = layer_prefix(first) + "block_list.";
            names.push_back({{list + std::to_string(recursion) + "." + l, list + "0." + l}});
        } else if (i == 0) {
            names.push_back({{layer_prefix(0)}});
        } else {  // the last layer follows the modules that hold the recursions
            names.push_back({{layer_prefix(first + (c.mor.routing == Routing::ExpertChoice ? c.mor.num_recursion : 1))}});
        }
    }
    return names;
}

std::string router_prefix(const ModelConfig& c, int recursion) {
    const int first = is_middle(c.mor.sharing) ? 1 : 0;
    return layer_prefix(c.mor.routing == Routing::ExpertChoice ? first + recursion : first);
}

}  // namespace mor
