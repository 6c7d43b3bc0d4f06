// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

namespace mor {

/// Backend::route as a composition of router, comparison on the host and gather: what backends without a way of their own
/// do, and what tests compare the others with.
void plain_route(Backend&, const RouteTask&, const float* x, int width, float* y, std::span<float> scores);

}  // namespace mor
