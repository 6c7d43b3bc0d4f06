// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/depth_heatmap_view.hpp"

#include <QApplication>
#include <QPaintEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>
#include <utility>

#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "views/heatmap/heatmap_caption.hpp"
#include "views/kit/following_bar.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

constexpr double kNarrowest = 0.02, kWidest = 64;  // pixels: 48,000 tokens on a small screen, one name in large type

ViewTraits traits() {
    return {DepthHeatmapView::tr("Depth heatmap"),
            DepthHeatmapView::tr("Type a prompt and press Generate: every token becomes a column here."),
            {960, 204},
            {400, 148}};
}

}  // namespace

DepthHeatmapView::DepthHeatmapView(TraceModel* model, Selection* selection, ThresholdEstimate* estimate, QWidget* parent)
    : TokenView(model, selection, traits(), parent),
      estimate_(estimate),
      grip_(estimate),
      bar_(new FollowingBar(horizontalScrollBar())) {
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    if (estimate) connect(estimate, &ThresholdEstimate::changed, this, &DepthHeatmapView::markChange);
    setTheme({});
}

void DepthHeatmapView::setOverlay(RuleOverlay* overlay) {
    overlay_ = overlay;
    connect(overlay, &RuleOverlay::changed, this, &DepthHeatmapView::markChange);
}

void DepthHeatmapView::markChange() {
    viewport()->update();
    emit captionChanged();
}

HeatCell DepthHeatmapView::cellAt(int token, int recursion) const {
    return heatCell(*model_, colours_, colouring(), token, recursion);
}

QRectF DepthHeatmapView::cellRect(int token, int recursion) const { return layoutNow().grid.cell(token, recursion); }

int DepthHeatmapView::tokenAt(const QPointF& point) const {
    const auto layout = layoutNow();
    // The names below belong to their columns too.
    if (!layout.cells.united(layout.tokenNames).contains(point)) return -1;
    const int column = layout.grid.columnAt(point.x());
    return column >= 0 && column < model_->tokenCount() ? column : -1;
}

const std::array<int, RecursionTally::kBins>& DepthHeatmapView::histogram(int recursion) const {
    return model_->tallies().at(static_cast<std::size_t>(recursion)).histogram;
}

void DepthHeatmapView::setColumnWidth(double width) {
    const double wanted = std::clamp(width, kNarrowest, kWidest);
    if (wanted == columnWidth_) return;
    columnWidth_ = wanted;
    relayout();
    emit columnWidthChanged(columnWidth_);
}

void DepthHeatmapView::setColourBy(ColourBy by) {
    scale_.restart(by);
    scale_.extend(*model_);
    image_.clear();
    viewport()->update();
}

void DepthHeatmapView::mixColours() {
    colours_ = HeatColours(theme_, model_->recursions());
    image_.clear();
    longestName_ = measured_ = 0;
}

void DepthHeatmapView::restyle() {
    bar_->setTheme(theme_);
    relayout();
}

void DepthHeatmapView::restart() {
    scale_.restart(colourBy());
    scale_.extend(*model_);
    relayout();
    bar_->restart();
    drawn_ = model_->tokenCount();
}

HeatmapSides DepthHeatmapView::sides() const { return {tiltedHeight(theme_, longestName_), model_->isRouted()}; }

HeatmapLayout DepthHeatmapView::layoutNow() const {
    return layOutHeatmap(theme_, viewport()->rect(), model_->recursions(), model_->extent(), theme_.px(columnWidth_),
                         horizontalScrollBar()->value(), sides());
}

/// Every name once: what is left below the rows is no more than the longest of them needs.
void DepthHeatmapView::measureNames() {
    for (; measured_ < model_->tokenCount(); ++measured_)
        longestName_ = std::max(longestName_, textWidth(theme_.caption(), visible(tokenName(*model_, measured_))));
}

void DepthHeatmapView::fitBar() {
    measureNames();
    bar_->setContent(model_->extent() * theme_.px(columnWidth_), layoutNow().cells.width(), selection_->marks().any());
}

void DepthHeatmapView::relayout() {
    fitBar();
    viewport()->update();
}

/// The columns painted before stay as they are and move at most: the new ones, those of tokens that were under way, and
/// the histograms are painted.
void DepthHeatmapView::extend() {
    const int from = std::exchange(drawn_, model_->tokenCount());
    const double longest = longestName_;
    const bool rescaled = scale_.extend(*model_);
    if (rescaled) image_.clear();
    measureNames();
    if (rescaled || from == 0 || from > drawn_ || longestName_ > longest || !movesAsItIs()) return relayout();
    {
        const QScopedValueRollback<bool> extending(extending_, true);
        fitBar();
    }
    viewport()->update(regionFrom(layoutNow(), theme_, viewport()->rect(), from));
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
    viewport()->update(regionLeftBehind(layout, theme_, viewport()->rect()));
}

bool DepthHeatmapView::isInSight(int token) const {
    const auto layout = layoutNow();
    return token >= layout.first && token < layout.end;
}

/// What is pointed at elsewhere comes into sight; a column that is there already, if only in part, moves nothing, so that
/// two heatmaps that scroll together stay together.
void DepthHeatmapView::selectionChanged(bool acted) {
    if (acted) viewport()->update();
    if (isPointedAt()) return;
    const int shown = selection_->current();
    if (!selection_->marks().any())
        bar_->toEndIfFollowing();
    else if (shown >= 0 && !(shown == selection_->hovered() && isInSight(shown)))
        bar_->reveal(shown * theme_.px(columnWidth_), (shown + 1) * theme_.px(columnWidth_));
}

HeatmapPainter DepthHeatmapView::painterNow() const {
    HeatmapPainter painter(*model_, *selection_, theme_, colours_, colouring());
    painter.setEstimate(estimate_);
    painter.setOverlay(overlay_);
    painter.setImage(&image_);
    return painter;
}

double DepthHeatmapView::completeHeight(double width) const {
    return wrappedHeight(theme_, width, model_->recursions(), model_->extent(), theme_.px(columnWidth_), sides());
}

void DepthHeatmapView::draw(QPainter& painter, const QRectF& area) const {
    const auto heatmap = painterNow();
    for (const auto& line :
         wrapHeatmap(theme_, area, model_->recursions(), model_->extent(), theme_.px(columnWidth_), sides()))
        heatmap.draw(painter, line);
}

void DepthHeatmapView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    painter.fillRect(event->rect(), theme_.frame().panel);
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, viewport()->rect(), empty);
    auto heatmap = painterNow();
    heatmap.setDirty(&event->region());
    heatmap.draw(painter, layoutNow());
}

void DepthHeatmapView::showBeginning() { bar_->moveTo(0); }

void DepthHeatmapView::resizeEvent(QResizeEvent*) {
    relayout();
    selectionChanged(false);  // what is chosen stays in sight
}

void DepthHeatmapView::zoomAt(double factor, double x) {
    const double before = layoutNow().grid.left;
    const double column = (x - before) / theme_.px(columnWidth_);
    setColumnWidth(columnWidth_ * factor);
    const double wanted = column * theme_.px(columnWidth_) - (x - layoutNow().cells.left());
    bar_->moveTo(static_cast<int>(std::lround(wanted)));
}

void DepthHeatmapView::zoomBy(double factor) {
    const auto cells = layoutNow().cells;
    zoomAt(factor, bar_->following() ? cells.right() : cells.center().x());
}

void DepthHeatmapView::fit() {
    const double columns = std::max(1, model_->extent());
    setColumnWidth(std::min(layoutNow().cells.width() / columns / theme_.scale, 24.0));
    bar_->toEndIfFollowing();
}

void DepthHeatmapView::wheelEvent(QWheelEvent* event) {
    if (event->modifiers() & Qt::ControlModifier) {
        zoomAt(std::pow(1.2, event->angleDelta().y() / 120.0), event->position().x());
        event->accept();
        return;
    }
    // There is only one direction to scroll in, so every wheel scrolls in it.
    QWheelEvent sideways(event->position(), event->globalPosition(), event->pixelDelta(), event->angleDelta(),
                         event->buttons(), event->modifiers(), event->phase(), event->inverted());
    QCoreApplication::sendEvent(horizontalScrollBar(), &sideways);
}

bool DepthHeatmapView::press(QKeyEvent& event) {
    if (event.key() == Qt::Key_Plus || event.key() == Qt::Key_Equal)
        zoomBy(1.2);
    else if (event.key() == Qt::Key_Minus)
        zoomBy(1 / 1.2);
    else if (event.key() == Qt::Key_F && event.modifiers() == Qt::NoModifier)
        fit();
    else
        return TokenView::press(event);
    return true;
}

std::vector<QRectF> DepthHeatmapView::histograms() const {
    const auto layout = layoutNow();
    std::vector<QRectF> areas;
    for (int r = 0; r < model_->recursions(); ++r) areas.push_back(histogramOf(layout, r));
    return areas;
}

void DepthHeatmapView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    drag_ = grip_.press(event->position(), histograms()) ? Drag::Threshold : Drag::Pressed;
    pressedAt_ = event->position().toPoint();
    scrollAtPress_ = horizontalScrollBar()->value();
}

void DepthHeatmapView::mouseMoveEvent(QMouseEvent* event) {
    const auto at = event->position();
    if (drag_ == Drag::None) viewport()->setCursor(grip_.isAt(at, histograms()) ? Qt::SplitHCursor : Qt::ArrowCursor);
    if (drag_ == Drag::Pressed && (at.toPoint() - pressedAt_).manhattanLength() >= QApplication::startDragDistance()) {
        drag_ = Drag::Pan;
        viewport()->setCursor(Qt::ClosedHandCursor);
    }
    if (drag_ == Drag::Pan) bar_->moveTo(scrollAtPress_ - (at.toPoint() - pressedAt_).x());
    if (drag_ == Drag::Threshold) grip_.drag(at);
}

void DepthHeatmapView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (drag_ == Drag::Pressed) pin(event->position());
    drag_ = Drag::None;
    viewport()->unsetCursor();
}

void DepthHeatmapView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (grip_.isAt(event->position(), histograms()))
        grip_.putBack();
    else
        mousePressEvent(event);
}

QString DepthHeatmapView::caption() const { return heatmapCaption(*model_, colourBy(), estimate_, overlay_); }

QString DepthHeatmapView::emptyText() const { return model_->extent() == 0 ? nothingYet() : QString(); }

QString DepthHeatmapView::describe() const {
    QString text = model_->recursions() == 0
                       ? tr("%n token(s); %1.", nullptr, model_->tokenCount()).arg(withoutRecursions(*model_))
                       : tr("%n token(s) over %1 recursions.", nullptr, model_->tokenCount()).arg(model_->recursions());
    if (const auto tip = tokenTip(*model_, selection_->current()); !tip.isEmpty()) text += QLatin1Char(' ') + tip;
    return text;
}

QSize DepthHeatmapView::sizeHint() const {
    const double rows = std::max(3, model_->recursions());
    return QSizeF(theme_.px(traits_.size.width()), theme_.px(rows * 36 + 96)).toSize();
}

}  // namespace mor::ui
