// SPDX-License-Identifier: Apache-2.0
#include "mor/model.hpp"

#include <map>

#include "model/parts.hpp"
#include "mor/devices.hpp"

namespace mor {

Model::Model(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;

const ModelInfo& Model::info() const { return parts_->info; }
std::shared_ptr<const Tokenizer> Model::tokenizer() const { return parts_->tokenizer; }

void measure_operations(const Model& model, bool on) { model.parts().backend->measure_operations(on); }
std::vector<OperationTime> take_operation_times(const Model& model) {
    return model.parts().backend->take_operation_times();
}
double memory_bandwidth(const Model& model) { return model.parts().backend->memory_bandwidth(); }

std::vector<int> segment_weights(const Plan& plan, const std::vector<int>& weights_identity) {
    std::map<std::vector<int>, int> known;
    std::vector<int> result;
    for (const Segment& s : plan.segments) {
        std::vector<int> key;
        for (const PlanLayer& l : s.layers) key.push_back(weights_identity[l.executed]);
        result.push_back(known.emplace(key, static_cast<int>(known.size())).first->second);
    }
    return result;
}

}  // namespace mor
