// SPDX-License-Identifier: Apache-2.0
#include "backend/plain_route.hpp"

namespace mor {

void plain_route(Backend& backend, const RouteTask& task, const float* x, int width, float* y, std::span<float> scores) {
    const std::size_t n = task.rows.size();
    std::size_t begin = 0;
    for (const RoutingPoint& point : task.points) {
        const auto rows = task.rows.subspan(begin, static_cast<std::size_t>(point.rows));
        backend.router(*point.router, x, rows, task.scale, scores.data() + begin);
        if (point.auxiliary) backend.router(*point.auxiliary, x, rows, 1.0f, scores.data() + n + begin);
        begin += rows.size();
    }
    const auto takes = [&](std::size_t i) { return task.cuts[i].takes(scores[task.cuts[i].auxiliary ? n + i : i]); };
    std::vector<int> gathered;
    for (std::size_t i = 0; i < n; ++i)
        if (takes(i)) gathered.push_back(task.rows[i]);
    for (auto i = static_cast<std::size_t>(task.rest); i < n; ++i)
        if (!takes(i)) gathered.push_back(task.rows[i]);
    backend.gather(x, gathered, width, y);
}

}  // namespace mor
