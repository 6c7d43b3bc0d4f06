// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/depth_heatmap_view.hpp"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "views/kit/following_bar.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/score_histogram.hpp"

namespace mor::ui {
namespace {

constexpr double kNarrowest = 0.02, kWidest = 64;  // pixels: 48,000 tokens on a small screen, one name in large type

}  // namespace

DepthHeatmapView::DepthHeatmapView(TraceModel* model, Selection* selection, ThresholdEstimate* estimate, QWidget* parent)
    : QAbstractScrollArea(parent),
      model_(model),
      selection_(selection),
      estimate_(estimate),
      bar_(new FollowingBar(horizontalScrollBar())),
      describer_(new Later(this, kDescribeLater, [this] { setAccessibleDescription(description()); })) {
    setFrameShape(NoFrame);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    setAccessibleName(tr("Depth heatmap"));
    connect(model, &QAbstractItemModel::modelReset, this, &DepthHeatmapView::restart);
    connect(model, &TraceModel::extended, this, &DepthHeatmapView::extend);
    connect(model, &TraceModel::rewound, viewport(), qOverload<>(&QWidget::update));
    connect(selection, &Selection::changed, this, &DepthHeatmapView::selectionChanged);
    if (estimate)
        connect(estimate, &ThresholdEstimate::changed, this, [this] {
            viewport()->update();
            emit captionChanged();
        });
    setTheme({});
}

HeatCell DepthHeatmapView::cellAt(int token, int recursion) const {
    return heatCell(*model_, colours_, colourBy_, token, recursion);
}

QRectF DepthHeatmapView::cellRect(int token, int recursion) const { return layoutNow().grid.cell(token, recursion); }

int DepthHeatmapView::tokenAt(const QPoint& point) const {
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
    colourBy_ = by;
    image_.clear();
    viewport()->update();
}

void DepthHeatmapView::setTheme(const Theme& theme) {
    theme_ = theme;
    longestName_ = measured_ = 0;
    mixColours();
    auto colours = palette();
    colours.setColor(QPalette::Base, theme.frame().panel);
    colours.setColor(QPalette::Window, theme.frame().panel);
    setPalette(colours);
    bar_->setTheme(theme);
    updateGeometry();
    relayout();
}

void DepthHeatmapView::mixColours() {
    colours_ = HeatColours(theme_, model_->recursions());
    image_.clear();
}

HeatmapSides DepthHeatmapView::sides() const { return {tiltedHeight(theme_, longestName_), model_->isRouted()}; }

HeatmapLayout DepthHeatmapView::layoutNow() const {
    return layOutHeatmap(theme_, viewport()->rect(), model_->recursions(), model_->extent(), theme_.px(columnWidth_),
                         horizontalScrollBar()->value(), sides());
}

void DepthHeatmapView::restart() {
    longestName_ = measured_ = 0;
    mixColours();
    relayout();
    bar_->restart();
    drawn_ = model_->tokenCount();
    describer_->now();
}

void DepthHeatmapView::selectionChanged() {
    const int shown = selection_->current();
    const bool chosen = selection_->marks().any();
    if (pointing_)
        ;  // nothing may slide away under the pointer
    else if (!chosen)
        bar_->toEndIfFollowing();
    else if (shown >= 0)
        bar_->reveal(shown * theme_.px(columnWidth_), (shown + 1) * theme_.px(columnWidth_));
    if (chosen) describer_->now();
    if (marks_ == selection_->marks()) return;
    marks_ = selection_->marks();
    viewport()->update();
}

void DepthHeatmapView::setOverlay(RuleOverlay* overlay) {
    overlay_ = overlay;
    connect(overlay, &RuleOverlay::changed, this, [this] {
        viewport()->update();
        emit captionChanged();
    });
}

HeatmapPainter DepthHeatmapView::painterNow() const {
    HeatmapPainter painter(*model_, *selection_, theme_, colours_, colourBy_);
    painter.setEstimate(estimate_);
    painter.setOverlay(overlay_);
    painter.setImage(&image_);
    return painter;
}

void DepthHeatmapView::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    auto layout = layOutHeatmap(theme_, area, model_->recursions(), model_->extent(), theme_.px(columnWidth_), 0, sides());
    // Half a column would stick out of pictures that cannot clip.
    while (layout.end > layout.first + 1 && layout.grid.column(layout.end - 1).right() > layout.cells.right() + 0.5)
        --layout.end;
    painterNow().draw(painter, layout);
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
    selectionChanged();  // what is chosen stays in sight
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

void DepthHeatmapView::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal) return zoomBy(1.2);
    if (event->key() == Qt::Key_Minus) return zoomBy(1 / 1.2);
    if (event->key() == Qt::Key_F && event->modifiers() == Qt::NoModifier) return fit();
    if (!steer(*selection_, *model_, *event)) QAbstractScrollArea::keyPressEvent(event);
}

void DepthHeatmapView::point(const QPoint& at, bool pin) {
    const QScopedValueRollback<bool> here(pointing_, true);
    if (pin)
        selection_->togglePin(tokenAt(at));
    else
        selection_->setHovered(tokenAt(at));
}

QRectF DepthHeatmapView::anyHistogram() const { return HeatmapPainter::histogramOf(layoutNow(), 0); }

QRectF DepthHeatmapView::thresholdHistogram(const QPointF& at) const {
    if (!estimate_ || !estimate_->isPossible()) return {};
    const auto layout = layoutNow();
    for (int r = 0; r < model_->recursions(); ++r) {
        const auto area = HeatmapPainter::histogramOf(layout, r);
        const double line = histogramX(area, estimate_->threshold());
        if (at.y() >= area.top() && at.y() <= area.bottom() && std::abs(at.x() - line) <= kGrasp) return area;
    }
    return {};
}

void DepthHeatmapView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    drag_ = thresholdHistogram(event->position()).isEmpty() ? Drag::Pressed : Drag::Threshold;
    pressedAt_ = event->position().toPoint();
    scrollAtPress_ = horizontalScrollBar()->value();
}

void DepthHeatmapView::mouseMoveEvent(QMouseEvent* event) {
    const auto at = event->position();
    if (drag_ == Drag::None) viewport()->setCursor(thresholdHistogram(at).isEmpty() ? Qt::ArrowCursor : Qt::SplitHCursor);
    if (drag_ == Drag::Pressed && (at.toPoint() - pressedAt_).manhattanLength() >= QApplication::startDragDistance()) {
        drag_ = Drag::Pan;
        viewport()->setCursor(Qt::ClosedHandCursor);
    }
    if (drag_ == Drag::Pan) bar_->moveTo(scrollAtPress_ - (at.toPoint() - pressedAt_).x());
    if (drag_ == Drag::Threshold) estimate_->setThreshold(histogramScore(anyHistogram(), at.x()));
}

void DepthHeatmapView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (drag_ == Drag::Pressed) point(event->position().toPoint(), true);
    drag_ = Drag::None;
    viewport()->unsetCursor();
}

void DepthHeatmapView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (!thresholdHistogram(event->position()).isEmpty())
        estimate_->reset();
    else
        mousePressEvent(event);
}

bool DepthHeatmapView::viewportEvent(QEvent* event) {
    // While something is dragged the pointer says nothing about tokens, but the event is wanted.
    if (event->type() == QEvent::MouseMove && drag_ != Drag::None) return QAbstractScrollArea::viewportEvent(event);
    const QScopedValueRollback<bool> here(pointing_, true);  // moves, leaves and rests: all of it is pointing
    const auto token = [this](QPointF at) { return tokenAt(at.toPoint()); };
    return followPointer(*event, viewport(), *selection_, *model_, token) || QAbstractScrollArea::viewportEvent(event);
}

QSize DepthHeatmapView::sizeHint() const {
    const double rows = std::max(3, model_->recursions());
    return QSizeF(theme_.px(960), rows * theme_.px(36) + theme_.px(96)).toSize();
}

QSize DepthHeatmapView::minimumSizeHint() const { return QSizeF(theme_.px(400), theme_.px(148)).toSize(); }

}  // namespace mor::ui
