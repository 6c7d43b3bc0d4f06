// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/page/trace_page.hpp"

#include <QAction>
#include <QPainter>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/cost/compute_view.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/routing_view.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/token_flow_view.hpp"

namespace mor::ui {

namespace {

constexpr int kGap = 8;  ///< between boxes; also the handle to drag
constexpr int kLeastHeight = 140;
constexpr double kWidthOfCosts = 1000, kHeightOfAll = 600;  ///< what the third row, and all three, want before scaling

/// The rows of the page as they begin: the heatmap's rows grow only so far, more room is worth more to the others.
struct Row {
    const char* name;
    int height;
    int stretch;
};
constexpr Row kRows[]{{"top", 190, 3}, {"middle", 200, 1}, {"bottom", 230, 3}};

QSplitter* makeSplitter(Qt::Orientation orientation, const QString& name) {
    auto* splitter = new QSplitter(orientation);
    splitter->setObjectName(name);
    splitter->setHandleWidth(kGap);
    splitter->setChildrenCollapsible(false);
    return splitter;
}

}  // namespace

TracePage::TracePage(TraceModel* model, Selection* selection, QWidget* parent)
    : QWidget(parent), sources_{model, selection, new ThresholdEstimate(model, this), new RuleOverlay(model, this)} {
    for (const auto& description : viewDescriptions()) addView(description);
    connect(model, &TraceModel::extended, this, &TracePage::updateCaptions, Qt::QueuedConnection);
    connect(model, &QAbstractItemModel::modelReset, this, &TracePage::updateCaptions, Qt::QueuedConnection);
    compose();
    updateCaptions();
    setTheme({});
}

TokenFlowView* TracePage::flow() const { return findChild<TokenFlowView*>(); }
TokenDetailView* TracePage::detail() const { return findChild<TokenDetailView*>(); }
DepthHeatmapView* TracePage::heatmap() const { return findChild<DepthHeatmapView*>(); }
KvView* TracePage::kv() const { return findChild<KvView*>(); }
RoutingView* TracePage::routing() const { return findChild<RoutingView*>(); }
ComputeView* TracePage::compute() const { return findChild<ComputeView*>(); }

void TracePage::addView(const ViewDescription& about) {
    auto made = about.make(sources_, *this);
    const auto title = tr(about.title);
    auto* panel = new Panel(title, {}, made.widget);
    panel->setMinimumHeight(kLeastHeight);  // views ask for more, but a small screen has to do
    panel->setObjectName(about.name);
    if (made.corner) panel->addCorner(made.corner);
    const auto toggle = [this, name = about.name] { emit enlargeWanted(enlarged_ == name ? QString() : name); };
    connect(panel, &Panel::enlargeWanted, this,
            [this, name = about.name] { emit enlargeWanted(enlarged_.isEmpty() ? name : QString()); });
    const auto keys = about.shortcut.toString(QKeySequence::NativeText);
    auto* alone = new QAction(tr("%1 alone").arg(title), this);
    alone->setShortcut(about.shortcut);
    alone->setToolTip(tr("This view alone, and back (%1)").arg(keys));
    connect(alone, &QAction::triggered, this, toggle);
    addAction(alone);
    viewActions_ += alone;
    views_.push_back({&about, std::move(made), panel, title, {}});
}

void TracePage::compose() {
    all_ = makeSplitter(Qt::Vertical, QStringLiteral("all"));
    QList<int> heights;
    for (const auto& row : kRows) {
        auto* splitter = makeSplitter(Qt::Horizontal, QString::fromLatin1(row.name));
        QList<int> shares;
        for (const auto& view : views_) {
            if (view.about->row != QLatin1String(row.name)) continue;
            splitter->addWidget(view.panel);
            splitter->setStretchFactor(splitter->count() - 1, view.about->share);
            shares += view.about->share * 12;  // pixels, of a usual window
        }
        splitter->setSizes(shares);
        rows_ += splitter;
        all_->addWidget(splitter);
        all_->setStretchFactor(all_->count() - 1, row.stretch);
        heights += row.height;
    }
    all_->setSizes(heights);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(all_);
}

const TracePage::View* TracePage::view(const QString& name) const {
    const auto found = std::find_if(views_.begin(), views_.end(), [&](const View& one) { return one.name() == name; });
    return found == views_.end() ? nullptr : &*found;
}

/// What the colours and numbers mean depends on the model, the size of the run and the chosen colouring.
void TracePage::updateCaptions() {
    for (View& view : views_) {
        if (view.made.title)
            if (const auto title = view.made.title(); title != view.title) view.panel->setTitle(view.title = title);
        if (const auto caption = view.made.caption(); caption != view.caption)
            view.panel->setCaption(view.caption = caption);
    }
}

void TracePage::finishDrawing() {
    for (const View& view : views_) view.made.picture->catchUp();
    updateCaptions();
}

void TracePage::setTheme(const Theme& theme) {
    const bool grows = theme.scale > theme_.scale;
    theme_ = theme;
    if (grows) showFitting();  // before large type asks for more room than there is
    for (const View& view : views_) view.panel->setTheme(theme);
    if (!grows) showFitting();
    update();
}

void TracePage::setEnlarged(const QString& name) {
    if (name == enlarged_) return;
    enlarged_ = name;
    showFitting();
}

/// One view, or as many rows as there is room for: in large type a small screen has none for the costs. Large type moves
/// the splitters, since every view asks for more, so what they were in usual type comes back with it.
void TracePage::showFitting() {
    const bool all = enlarged_.isEmpty(), usual = all && theme_.scale <= 1;
    const bool costs = theme_.scale <= 1 || (width() >= theme_.px(kWidthOfCosts) && height() >= theme_.px(kHeightOfAll));
    if (!usual && layoutOfAll_.isEmpty()) layoutOfAll_ = layoutState();
    for (const View& view : views_) {
        view.panel->setVisible(all || view.name() == enlarged_);
        view.panel->setEnlarged(!all);
    }
    // A row without visible panels would keep its height.
    for (QSplitter* row : rows_) {
        bool shown = all && (costs || row != rows_.last());
        for (int i = 0; i < row->count(); ++i) shown |= row->widget(i)->objectName() == enlarged_;
        row->setVisible(shown);
    }
    if (usual && !layoutOfAll_.isEmpty()) restoreLayout(std::exchange(layoutOfAll_, {}));
}

void TracePage::resizeEvent(QResizeEvent*) {
    if (theme_.scale > 1 && enlarged_.isEmpty()) showFitting();
}

QString TracePage::focusedView() const {
    for (const View& view : views_)
        if (const QWidget* focus = window()->focusWidget(); focus && view.panel->isAncestorOf(focus)) return view.name();
    return QStringLiteral("heatmap");
}

QMap<QString, QByteArray> TracePage::layoutState() const {
    if (!layoutOfAll_.isEmpty()) return layoutOfAll_;
    QMap<QString, QByteArray> state{{all_->objectName(), all_->saveState()}};
    for (const QSplitter* row : rows_) state[row->objectName()] = row->saveState();
    return state;
}

void TracePage::restoreLayout(const QMap<QString, QByteArray>& state) {
    for (QSplitter* splitter : rows_ + QList{all_})
        if (state.contains(splitter->objectName())) splitter->restoreState(state[splitter->objectName()]);
}

void TracePage::drawView(QPainter& painter, const View& view, const QRectF& area) const {
    const QRectF inner = Panel::drawInto(painter, theme_, area, view.title, view.caption);
    painter.save();
    painter.setClipRect(inner);
    view.made.picture->drawInto(painter, inner);
    painter.restore();
    const auto* corner = dynamic_cast<const Picture*>(view.made.corner);
    if (!corner) return;
    const QSizeF size = view.made.corner->sizeHint();
    corner->drawInto(painter, QRectF(QPointF(inner.right() - size.width(), area.top() + theme_.px(8)), size));
}

}  // namespace mor::ui
