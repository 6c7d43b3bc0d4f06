// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/heatmap_caption.hpp"

#include <QCoreApplication>

#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"

namespace mor::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("mor::ui::DepthHeatmapView", text); }

/// Empty where nothing is marked.
QString marks(const TraceModel& model, const ThresholdEstimate* estimate, const RuleOverlay* overlay) {
    if (estimate && estimate->isActive())
        return tr("if the threshold were %1: orange ● would go on, ○ would leave, ? was never scored")
            .arg(scoreText(estimate->threshold()));
    if (overlay && overlay->isActive())
        return tr("with top-k, which looks ahead: ▲ takes, ▼ leaves; %1 of %2 tokens differ")
            .arg(countText(overlay->differing()), countText(model.tokenCount()));
    return {};
}

}  // namespace

QString heatmapCaption(const TraceModel& model, ColourBy by, const ThresholdEstimate* estimate,
                       const RuleOverlay* overlay) {
    if (const auto said = marks(model, estimate, overlay); !said.isEmpty()) return said;
    const auto colour = by == ColourBy::Depth ? tr("colour = depth") : tr("grey = %1").arg(rampName(by));
    if (choosesDepth(model)) return tr("%1, fill height = probability of this depth, ● passes ◆ chosen ○ left").arg(colour);
    if (model.hasRun() && model.recursions() == 0) return withoutRecursions(model);
    if (!model.hasRun()) return tr("a column for each token, a row for each recursion");
    if (!model.isRouted()) return tr("%1, ● taken; nothing is routed in this model").arg(colour);
    const auto rule = thresholdOf(model) >= 0 ? tr(", tick = threshold") : QString();
    const bool stores = model.header().kv_policy == mor::KvPolicy::RecursiveSharing;
    return tr("%1, fill height = router score%2, ● continue ○ leave%3, blank = not offered")
        .arg(colour, rule, stores ? tr(" ◐ leave, K/V stored") : QString());
}

}  // namespace mor::ui
