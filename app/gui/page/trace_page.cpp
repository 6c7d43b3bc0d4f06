// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/page/trace_page.hpp"

#include <QPainter>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "models/rule_overlay.hpp"
#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/cost/compute_view.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/heatmap/zoom_buttons.hpp"
#include "views/kit/legend.hpp"
#include "views/kit/mode_switch.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/estimate_buttons.hpp"
#include "views/routing/routing_view.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/token_flow_view.hpp"

namespace mor::ui {

namespace {

constexpr int kText = 0, kDetail = 1, kHeatmap = 2, kKv = 3,
              kRouting = 4;  ///< places in TracePage::pieces(), in reading order
constexpr int kGap = 8;      ///< between boxes; also the handle to drag
constexpr int kLeastHeight = 140;
constexpr double kWidthOfCosts = 1000, kHeightOfAll = 600;  ///< what the third row, and all three, want before scaling

QSplitter* makeSplitter(Qt::Orientation orientation, const QString& name, std::initializer_list<QWidget*> widgets,
                        const QList<int>& sizes, const QList<int>& stretch) {
    auto* splitter = new QSplitter(orientation);
    splitter->setObjectName(name);
    splitter->setHandleWidth(kGap);
    splitter->setChildrenCollapsible(false);
    for (QWidget* widget : widgets) splitter->addWidget(widget);
    for (int i = 0; i < stretch.size(); ++i) splitter->setStretchFactor(i, stretch[i]);
    splitter->setSizes(sizes);
    return splitter;
}

}  // namespace

TracePage::TracePage(TraceModel* model, Selection* selection, QWidget* parent)
    : QWidget(parent),
      model_(model),
      estimate_(new ThresholdEstimate(model, this)),
      overlay_(new RuleOverlay(model, this)),
      flow_(new TokenFlowView(model, selection)),
      detail_(new TokenDetailView(model, selection)),
      heatmap_(new DepthHeatmapView(model, selection, estimate_)),
      kv_(new KvView(model, selection)),
      routing_(new RoutingView(model, selection, estimate_)),
      compute_(new ComputeView(model, selection)),
      legend_(new DepthLegend(model)) {
    addPiece(QStringLiteral("text"), flow_, tr("Text"), {})->addCorner(legend_);
    addPiece(QStringLiteral("token"), detail_, detail_->title(), detail_->caption());
    auto* zoom = new ZoomButtons;
    connect(zoom, &ZoomButtons::zoomWanted, heatmap_, &DepthHeatmapView::zoomBy);
    connect(zoom, &ZoomButtons::fitWanted, heatmap_, &DepthHeatmapView::fit);
    addPiece(QStringLiteral("heatmap"), heatmap_, tr("Depth heatmap"), heatmap_->caption())->addCorner(zoom);
    addPiece(QStringLiteral("kv"), kv_, tr("KV cache"), {})->addCorner(kvSwitch());
    addPiece(QStringLiteral("routing"), routing_, tr("Routing"), routing_->caption())->addCorner(estimateButtons());
    addPiece(QStringLiteral("compute"), compute_, tr("Compute"), {})->addCorner(computeSwitch());
    connect(detail_, &TokenDetailView::titleChanged, this, [this](const QString& title, const QString& caption) {
        pieces_[kDetail].title = title;
        pieces_[kDetail].panel->setTitle(title);
        setCaption(kDetail, caption);
    });
    connect(model, &TraceModel::extended, this, &TracePage::updateCaptions, Qt::QueuedConnection);
    connect(model, &QAbstractItemModel::modelReset, this, &TracePage::updateCaptions, Qt::QueuedConnection);
    heatmap_->setOverlay(overlay_);
    connect(heatmap_, &DepthHeatmapView::captionChanged, this, &TracePage::updateCaptions);
    connect(routing_, &RoutingView::captionChanged, this, &TracePage::updateCaptions);
    compose();
    updateCaptions();
    setTheme({});
}

ModeSwitch* TracePage::kvSwitch() {
    auto* modes = new ModeSwitch({{tr("used"), tr("Bytes of the entries stored, by recursion")},
                                  {tr("reserved"), tr("Bytes of the blocks that hold them, by recursion")},
                                  {tr("slots"), tr("Which token has keys and values in which recursion")}});
    modes->setObjectName(QStringLiteral("kvMode"));
    connect(modes, &ModeSwitch::modeChanged, this, [this](int mode) {
        kv_->setMode(static_cast<KvView::Mode>(mode));
        updateCaptions();
    });
    return modes;
}

EstimateButtons* TracePage::estimateButtons() {
    auto* buttons = new EstimateButtons(estimate_);
    connect(buttons, &EstimateButtons::rerunWanted, this, &TracePage::rerunWanted);
    return buttons;
}

ModeSwitch* TracePage::computeSwitch() {
    auto* modes = new ModeSwitch({{tr("token"), tr("FLOPs of each token")},
                                  {tr("total"), tr("FLOPs so far")},
                                  {tr("time"), tr("Milliseconds of each token's passes")}});
    modes->setObjectName(QStringLiteral("computeMode"));
    connect(modes, &ModeSwitch::modeChanged, this,
            [this](int mode) { compute_->setQuantity(static_cast<CostChart::Quantity>(mode)); });
    return modes;
}

template <typename View>
Panel* TracePage::addPiece(const QString& name, View* view, const QString& title, const QString& caption) {
    auto* panel = new Panel(title, caption, view);
    panel->setMinimumHeight(kLeastHeight);  // views ask for more, but a small screen has to do
    panel->setObjectName(name);
    connect(panel, &Panel::enlargeWanted, this,
            [this, name] { emit enlargeWanted(enlarged_.isEmpty() ? name : QString()); });
    pieces_.push_back({name, panel, view, title, caption});
    return panel;
}

void TracePage::compose() {
    QSplitter* top =
        makeSplitter(Qt::Horizontal, QStringLiteral("top"), {pieces_[0].panel, pieces_[1].panel}, {820, 420}, {66, 34});
    QSplitter* bottom = makeSplitter(Qt::Horizontal, QStringLiteral("bottom"),
                                     {pieces_[3].panel, pieces_[4].panel, pieces_[5].panel}, {500, 440, 300}, {40, 36, 24});
    // The heatmap's rows grow only so far: more room is worth more to the others.
    QSplitter* all =
        makeSplitter(Qt::Vertical, QStringLiteral("all"), {top, pieces_[2].panel, bottom}, {190, 200, 230}, {3, 1, 3});
    splitters_ = {top, bottom, all};
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(all);
}

/// What the colours and numbers mean depends on the model, the size of the run and the chosen colouring.
void TracePage::updateCaptions() {
    const bool vanilla = model_->hasRun() && model_->recursions() == 0;
    setCaption(kText, vanilla ? tr("underlined = prompt") : tr("background = depth, underlined = prompt"));
    setCaption(kHeatmap, heatmap_->caption());
    setCaption(kRouting, routing_->caption());
    setCaption(kKv, kv_->caption());
}

void TracePage::setCaption(int piece, const QString& caption) {
    if (caption == pieces_[piece].caption) return;
    pieces_[piece].caption = caption;
    pieces_[piece].panel->setCaption(caption);
}

void TracePage::finishDrawing() {
    kv_->chart()->flush();
    detail_->refresh();
    updateCaptions();
}

void TracePage::setTheme(const Theme& theme) {
    const bool grows = theme.scale > theme_.scale;
    theme_ = theme;
    if (grows) showFitting();  // before large type asks for more room than there is
    for (const Piece& piece : pieces_) piece.panel->setTheme(theme);
    if (!grows) showFitting();
    update();
}

void TracePage::setEnlarged(const QString& name) {
    if (name == enlarged_) return;
    enlarged_ = name;
    showFitting();
}

/// One view, or as many rows as there is room for: in large type a small screen has none for the costs.
void TracePage::showFitting() {
    const bool all = enlarged_.isEmpty();
    const bool costs = theme_.scale <= 1 || (width() >= theme_.px(kWidthOfCosts) && height() >= theme_.px(kHeightOfAll));
    const bool complete = all && costs;
    if (!complete && layoutOfAll_.isEmpty()) layoutOfAll_ = layoutState();
    for (const Piece& piece : pieces_) {
        piece.panel->setVisible(all || piece.name == enlarged_);
        piece.panel->setEnlarged(!all);
    }
    // A row without visible panels would keep its height.
    for (QSplitter* row : {splitters_[0], splitters_[1]}) {
        bool shown = all && (costs || row == splitters_[0]);
        for (int i = 0; i < row->count(); ++i) shown |= row->widget(i)->objectName() == enlarged_;
        row->setVisible(shown);
    }
    if (complete && !layoutOfAll_.isEmpty()) restoreLayout(std::exchange(layoutOfAll_, {}));
}

void TracePage::resizeEvent(QResizeEvent*) {
    if (theme_.scale > 1 && enlarged_.isEmpty()) showFitting();
}

QString TracePage::focusedPiece() const {
    for (const Piece& piece : pieces_)
        if (const QWidget* focus = window()->focusWidget(); focus && piece.panel->isAncestorOf(focus)) return piece.name;
    return pieces_[kHeatmap].name;
}

QMap<QString, QByteArray> TracePage::layoutState() const {
    if (!layoutOfAll_.isEmpty()) return layoutOfAll_;
    QMap<QString, QByteArray> state;
    for (const QSplitter* splitter : splitters_) state[splitter->objectName()] = splitter->saveState();
    return state;
}

void TracePage::restoreLayout(const QMap<QString, QByteArray>& state) {
    for (QSplitter* splitter : splitters_)
        if (state.contains(splitter->objectName())) splitter->restoreState(state[splitter->objectName()]);
}

QStringList TracePage::pieceNames() {
    return {QStringLiteral("text"), QStringLiteral("token"),   QStringLiteral("heatmap"),
            QStringLiteral("kv"),   QStringLiteral("routing"), QStringLiteral("compute")};
}

void TracePage::drawPiece(QPainter& painter, const Piece& piece, const QRectF& area) const {
    const QRectF inner = Panel::drawInto(painter, theme_, area, piece.title, piece.caption);
    painter.save();
    painter.setClipRect(inner);
    piece.picture->drawInto(painter, inner);
    painter.restore();
    if (piece.picture != flow_) return;
    const QSizeF size = legend_->sizeHint();
    legend_->drawInto(painter, QRectF(QPointF(inner.right() - size.width(), area.top() + theme_.px(8)), size));
}

void TracePage::drawInto(QPainter& painter, const QRectF& area, const QString& name) const {
    painter.fillRect(area, theme_.frame().ground);
    const double margin = theme_.px(14);
    const QRectF page = area.adjusted(margin, margin, -margin, -margin);
    if (!name.isEmpty()) {
        const auto found = std::find_if(pieces_.begin(), pieces_.end(), [&](const Piece& p) { return p.name == name; });
        if (found != pieces_.end()) drawPiece(painter, *found, page);
        return;
    }
    // The boxes keep the proportions they have on screen.
    const double x = page.width() / std::max(1, width());
    const double y = page.height() / std::max(1, height());
    for (const Piece& piece : pieces_) {
        const QRect box(piece.panel->mapTo(this, QPoint(0, 0)), piece.panel->size());
        drawPiece(painter, piece,
                  {page.left() + box.left() * x, page.top() + box.top() * y, box.width() * x, box.height() * y});
    }
}

}  // namespace mor::ui
