// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "views/kit/heat_cell.hpp"

namespace mor::ui {

class RuleOverlay;
class ThresholdEstimate;
class TraceModel;

/// What the heatmap's cells mean in this kind of model, and the marks on them where another rule or another threshold is
/// asked about (null: none is).
QString heatmapCaption(const TraceModel&, ColourBy, const ThresholdEstimate*, const RuleOverlay*);

}  // namespace mor::ui
