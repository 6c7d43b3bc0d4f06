// SPDX-License-Identifier: GPL-3.0-or-later
// What DepthHeatmapView says: what its cells mean in this kind of model, and what it is without seeing it.
#include "models/rule_overlay.hpp"
#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/interaction.hpp"

namespace mor::ui {

QString DepthHeatmapView::whatChanges() const {
    if (estimate_ && estimate_->isActive())
        return tr("if the threshold were %1: orange ● would go on, ○ would leave, ? was never scored")
            .arg(scoreText(estimate_->threshold()));
    if (overlay_ && overlay_->isActive())
        return tr("with top-k, which looks ahead: ▲ takes, ▼ leaves; %1 of %2 tokens differ")
            .arg(countText(overlay_->differing()), countText(model_->tokenCount()));
    return {};
}

QString DepthHeatmapView::caption() const {
    if (const auto marks = whatChanges(); !marks.isEmpty()) return marks;
    const auto colour = colourBy_ == ColourBy::Depth ? tr("colour = depth") : tr("grey = %1").arg(rampName(colourBy_));
    if (choosesDepth(*model_))
        return tr("%1, fill height = probability of this depth, ● passes ◆ chosen ○ left").arg(colour);
    if (model_->hasRun() && model_->recursions() == 0) return withoutRecursions(*model_);
    if (!model_->hasRun()) return tr("a column for each token, a row for each recursion");
    if (!model_->isRouted()) return tr("%1, ● taken; nothing is routed in this model").arg(colour);
    const auto rule = thresholdOf(*model_) >= 0 ? tr(", tick = threshold") : QString();
    const bool stores = model_->header().kv_policy == mor::KvPolicy::RecursiveSharing;
    return tr("%1, fill height = router score%2, ● continue ○ leave%3, blank = not offered")
        .arg(colour, rule, stores ? tr(" ◐ leave, K/V stored") : QString());
}

QString DepthHeatmapView::emptyText() const {
    if (!model_->hasRun()) return tr("Type a prompt and press Generate: every token becomes a column here.");
    return model_->extent() == 0 ? tr("Reading the prompt …") : QString();
}

QString DepthHeatmapView::description() const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return empty;
    QString text = model_->recursions() == 0
                       ? tr("%n token(s); %1.", nullptr, model_->tokenCount()).arg(withoutRecursions(*model_))
                       : tr("%n token(s) over %1 recursions.", nullptr, model_->tokenCount()).arg(model_->recursions());
    if (const auto tip = tokenTip(*model_, selection_->current()); !tip.isEmpty()) text += QLatin1Char(' ') + tip;
    return text;
}

}  // namespace mor::ui
