// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/depth_heatmap_view.hpp"

#include <QCoreApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "models/selection.hpp"
#include "views/following_bar.hpp"
#include "views/interaction.hpp"
#include "views/painting.hpp"

namespace mor::ui {

DepthHeatmapView::DepthHeatmapView(TraceModel* model, Selection* selection, QWidget* parent)
    : QAbstractScrollArea(parent), model_(model), selection_(selection), bar_(new FollowingBar(horizontalScrollBar())) {
    setFrameShape(NoFrame);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    setAccessibleName(tr("Depth heatmap"));
    connect(model, &QAbstractItemModel::modelReset, this, &DepthHeatmapView::restart);
    connect(model, &TraceModel::extended, this, &DepthHeatmapView::relayout);
    connect(selection, &Selection::changed, this, &DepthHeatmapView::selectionChanged);
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
    const double wanted = std::clamp(width, 1.0, 64.0);
    if (wanted == columnWidth_) return;
    columnWidth_ = wanted;
    relayout();
    emit columnWidthChanged(columnWidth_);
}

void DepthHeatmapView::setColourBy(ColourBy by) {
    colourBy_ = by;
    viewport()->update();
}

void DepthHeatmapView::setTheme(const Theme& theme) {
    theme_ = theme;
    colours_ = HeatColours(theme, model_->recursions());
    auto colours = palette();
    colours.setColor(QPalette::Base, theme.frame().panel);
    colours.setColor(QPalette::Window, theme.frame().panel);
    setPalette(colours);
    bar_->setTheme(theme);
    updateGeometry();
    relayout();
}

HeatmapLayout DepthHeatmapView::layoutNow() const {
    return layOutHeatmap(theme_, viewport()->rect(), model_->recursions(), model_->extent(), theme_.px(columnWidth_),
                         horizontalScrollBar()->value());
}

void DepthHeatmapView::relayout() {
    const bool looking = selection_->hovered() >= 0 || selection_->pinned() >= 0;
    const int columns = model_->recursions() > 0 ? model_->extent() : 0;
    bar_->setContent(columns * theme_.px(columnWidth_), layoutNow().cells.width(), looking);
    viewport()->update();
}

void DepthHeatmapView::restart() {
    colours_ = HeatColours(theme_, model_->recursions());
    relayout();
    bar_->restart();
    setAccessibleDescription(description());
}

void DepthHeatmapView::selectionChanged() {
    const int shown = selection_->current();
    const bool chosen = selection_->hovered() >= 0 || selection_->pinned() >= 0;
    if (!chosen)
        bar_->toEndIfFollowing();
    else if (!pointing_ && shown >= 0)
        bar_->reveal(shown * theme_.px(columnWidth_), (shown + 1) * theme_.px(columnWidth_));
    if (chosen) setAccessibleDescription(description());
    viewport()->update();
}

QString DepthHeatmapView::caption() const {
    const auto colour = colourBy_ == ColourBy::Depth ? tr("colour = depth") : tr("grey = %1").arg(rampName(colourBy_));
    if (choosesDepth(*model_)) return tr("%1, fill height = probability of this depth, ● passes ◆ chosen").arg(colour);
    if (!model_->isRouted()) return tr("%1, ● taken; nothing is routed in this model").arg(colour);
    const auto rule = thresholdOf(*model_) >= 0 ? tr(", tick = threshold") : QString();
    const bool stores = model_->header().kv_policy == mor::KvPolicy::RecursiveSharing;
    return tr("%1, fill height = router score%2, ● continue ○ leave%3, blank = not offered")
        .arg(colour, rule, stores ? tr(" ◐ leave, K/V stored") : QString());
}

QString DepthHeatmapView::emptyText() const {
    if (!model_->hasRun()) return tr("Type a prompt and press Generate: every token becomes a column here.");
    if (model_->recursions() == 0)
        return tr("This model has no recursions: every token goes once through all %1 layers. Choose a "
                  "Mixture-of-Recursions model "
                  "to see depths.")
            .arg(model_->header().config.llama.num_hidden_layers);
    return model_->extent() == 0 ? tr("Reading the prompt …") : QString();
}

void DepthHeatmapView::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    const auto layout = layOutHeatmap(theme_, area, model_->recursions(), model_->extent(), theme_.px(columnWidth_), 0);
    HeatmapPainter(*model_, *selection_, theme_, colours_, colourBy_).draw(painter, layout);
}

void DepthHeatmapView::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), theme_.frame().panel);
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, viewport()->rect(), empty);
    HeatmapPainter(*model_, *selection_, theme_, colours_, colourBy_).draw(painter, layoutNow());
}

void DepthHeatmapView::resizeEvent(QResizeEvent*) {
    relayout();
    selectionChanged();  // what is chosen stays in sight
}

void DepthHeatmapView::zoomAt(double factor, double x) {
    const double before = layoutNow().grid.left;
    const double column = (x - before) / theme_.px(columnWidth_);
    setColumnWidth(columnWidth_ * factor);
    const double wanted = column * theme_.px(columnWidth_) - (x - layoutNow().cells.left());
    horizontalScrollBar()->setValue(static_cast<int>(std::lround(wanted)));
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
    if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal) return setColumnWidth(columnWidth_ * 1.2);
    if (event->key() == Qt::Key_Minus) return setColumnWidth(columnWidth_ / 1.2);
    if (!steer(*selection_, *model_, *event)) QAbstractScrollArea::keyPressEvent(event);
}

void DepthHeatmapView::point(const QPoint& at, bool pin) {
    const QScopedValueRollback<bool> here(pointing_, true);
    if (pin)
        selection_->togglePin(tokenAt(at));
    else
        selection_->setHovered(tokenAt(at));
}

void DepthHeatmapView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) point(event->position().toPoint(), true);
}

bool DepthHeatmapView::viewportEvent(QEvent* event) {
    const auto token = [this](QPointF at) { return tokenAt(at.toPoint()); };
    return followPointer(*event, viewport(), *selection_, *model_, token) || QAbstractScrollArea::viewportEvent(event);
}

QString DepthHeatmapView::description() const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return empty;
    QString text = tr("%n token(s) over %1 recursions.", nullptr, model_->tokenCount()).arg(model_->recursions());
    if (const auto tip = tokenTip(*model_, selection_->current()); !tip.isEmpty()) text += QLatin1Char(' ') + tip;
    return text;
}

QSize DepthHeatmapView::sizeHint() const {
    const double rows = std::max(3, model_->recursions());
    return QSizeF(theme_.px(960), rows * theme_.px(36) + theme_.px(96)).toSize();
}

QSize DepthHeatmapView::minimumSizeHint() const { return QSizeF(theme_.px(400), theme_.px(148)).toSize(); }

}  // namespace mor::ui
