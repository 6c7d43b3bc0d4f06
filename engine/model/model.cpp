// SPDX-License-Identifier: Apache-2.0
#include "mor/model.hpp"

#include <map>

#include "model/parts.hpp"
#include "mor/devices.hpp"

namespace mor {

void measure_operations(const Model& model, bool on) { parts_of(model).backend->measure_operations(on); }
std::vector<OperationTime> take_operation_times(const Model& model) {
    return parts_of(model).backend->take_operation_times();
}
double memory_bandwidth(const Model& model) { return parts_of(model).backend->memory_bandwidth(); }

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
