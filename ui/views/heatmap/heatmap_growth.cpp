// SPDX-License-Identifier: GPL-3.0-or-later
// How DepthHeatmapView grows: while text streams in, only new columns are painted.
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>
#include <utility>

#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/following_bar.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/text_lines.hpp"

namespace mor::ui {

void DepthHeatmapView::fitBar() {
    measureNames();
    bar_->setContent(model_->extent() * theme_.px(columnWidth_), layoutNow().cells.width(), selection_->marks().any());
}

void DepthHeatmapView::relayout() {
    fitBar();
    viewport()->update();
}

/// Every name once: what is left below the rows is no more than the longest of them needs.
void DepthHeatmapView::measureNames() {
    const auto font = theme_.caption();
    for (; measured_ < model_->tokenCount(); ++measured_) {
        const auto name = quoted(model_->label(measured_));
        longestName_ = std::max(longestName_, textWidth(font, name.mid(1, name.size() - 2)));
    }
}

/// The columns painted before stay as they are and move at most: the new ones, those of tokens that were under way, and
/// the histograms are painted.
void DepthHeatmapView::extend() {
    const int from = std::exchange(drawn_, model_->tokenCount());
    const double longest = longestName_;
    measureNames();
    describer_->soon();
    if (from == 0 || from > drawn_ || longestName_ > longest || !movesAsItIs()) return relayout();
    {
        const QScopedValueRollback<bool> extending(extending_, true);
        fitBar();
    }
    const auto layout = layoutNow();
    const double left = layout.grid.column(from).left(), reach = HeatmapPainter::namesReach(theme_);
    const double right = layout.cells.right() + 2, names = layout.tokenNames.top();
    const double gap = layout.histograms.isEmpty() ? viewport()->width() : layout.histograms.left();
    invalidate({left - 2, 0, right - left + 2, names});
    // Numbers below the last columns reach into the gap beside them.
    invalidate({left - reach, names, gap - left + reach, layout.tokenNames.height()});
    if (!layout.histograms.isEmpty())
        invalidate({layout.histograms.left() - 4, 0, layout.histograms.width() + 8, layout.tokenNames.bottom()});
}

/// Whether a picture scrolled by whole pixels is the picture of the scrolled columns. Stretched images are sampled
/// elsewhere, and marks are cut differently at the edges.
bool DepthHeatmapView::movesAsItIs() const {
    const double width = theme_.px(columnWidth_), ratio = devicePixelRatioF();
    return ratio == std::floor(ratio) && (width >= kImageColumn || (width >= 1 && width == std::floor(width)));
}

void DepthHeatmapView::scrollContentsBy(int dx, int) {
    if (!extending_ || dx > 0 || selection_->marks().any()) return viewport()->update();
    const auto layout = layoutNow();
    const auto cells = layout.cells.adjusted(-1, -2, 1, 0).toAlignedRect();
    const QRect names(0, cells.bottom() + 1, cells.right() + 1, viewport()->height() - cells.bottom() - 1);
    viewport()->scroll(dx, 0, cells);
    viewport()->scroll(dx, 0, names);
    // Columns that are no longer in sight take their names with them.
    const double left = layout.cells.left(), beside = HeatmapPainter::namesReach(theme_);
    invalidate({left - 8, 0, 10, layout.cells.bottom()});
    invalidate({0, layout.tokenNames.top() - 1, left + beside, layout.tokenNames.height() + 1});
}

}  // namespace mor::ui
