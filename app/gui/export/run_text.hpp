// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "mor/trace.hpp"

namespace mor::ui {

/// What a run was made with, one line each: model, device, prompt, sampling, routing, KV cache.
QString runText(const mor::TraceHeader&);

}  // namespace mor::ui
