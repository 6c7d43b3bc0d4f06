// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/routing_lanes.hpp"

#include <algorithm>

#include "models/trace_model.hpp"

namespace mor::ui {

RoutingFlow layOutRouting(const TraceModel& model, const QRectF& area, double barWidth, double gap) {
    RoutingFlow flow;
    const int recursions = model.recursions();
    flow.lanes.resize(static_cast<std::size_t>(recursions) + 1);
    for (int r = 0; r <= recursions; ++r) {
        auto& lane = flow.lanes[static_cast<std::size_t>(r)];
        lane.left = model.depthCounts()[static_cast<std::size_t>(r)];
        lane.offered = r == 0 ? model.tokenCount() : model.tallies()[static_cast<std::size_t>(r) - 1].offered;
        lane.taken = r == 0 ? model.tokenCount() : model.tallies()[static_cast<std::size_t>(r) - 1].taken;
    }
    flow.pitch = (area.width() - barWidth) / (recursions + 1);
    flow.perToken = std::max(0.0, area.height() - recursions * gap) / std::max(1, model.tokenCount());
    for (int r = 0; r <= recursions; ++r) {
        auto& lane = flow.lanes[static_cast<std::size_t>(r)];
        lane.bar = {area.left() + r * flow.pitch, area.top(), barWidth, lane.taken * flow.perToken};
        lane.exit = {area.right() - barWidth,
                     area.top() + (lane.taken - lane.left) * flow.perToken + (recursions - r) * gap, barWidth,
                     lane.left * flow.perToken};
    }
    return flow;
}

}  // namespace mor::ui
