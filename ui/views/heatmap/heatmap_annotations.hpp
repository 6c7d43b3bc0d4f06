// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QPainter;

namespace mor::ui {

class RuleOverlay;
class ThresholdEstimate;
class TraceModel;
struct HeatmapLayout;
struct Theme;

/// What is drawn over the recorded cells of the columns in sight: decisions of another rule and of another threshold. Null,
/// or not active: nothing of it.
void drawAnnotations(QPainter&, const TraceModel&, const Theme&, const HeatmapLayout&, const RuleOverlay*,
                     const ThresholdEstimate*);

}  // namespace mor::ui
