// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/page/page_views.hpp"

#include <QCoreApplication>
#include <algorithm>

#include "gui/page/trace_page.hpp"
#include "models/trace_model.hpp"
#include "views/cost/compute_view.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/heatmap/zoom_buttons.hpp"
#include "views/kit/legend.hpp"
#include "views/kit/mode_switch.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_slot_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/estimate_buttons.hpp"
#include "views/routing/routing_view.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/token_flow_view.hpp"

namespace mor::ui {

namespace {

constexpr QSizeF kFigure(640, 320), kWideFigure(1240, 220), kSlotFigure(1240, 260);

QString tr(const char* text) { return QCoreApplication::translate("mor::ui::TracePage", text); }

template <class View>
MadeView made(View* view) {
    return {view, view, nullptr, [] { return QString(); }, {}, {}};
}

MadeView makeText(const ViewSources& from, TracePage&) {
    auto view = made(new TokenFlowView(from.model, from.selection));
    view.corner = new DepthLegend(from.model);
    view.caption = [model = from.model] {
        const bool vanilla = model->hasRun() && model->recursions() == 0;
        return vanilla ? tr("underlined = prompt") : tr("background = depth, underlined = prompt");
    };
    view.figures = [] { return std::vector<Figure>(); };  // documents have the text as text
    return view;
}

MadeView makeToken(const ViewSources& from, TracePage& page) {
    auto* detail = new TokenDetailView(from.model, from.selection);
    auto view = made(detail);
    view.title = [=] { return detail->title(); };
    view.caption = [=] { return detail->caption(); };
    view.figures = [=] { return std::vector<Figure>{{detail->caption(), detail, kFigure}}; };
    QObject::connect(detail, &TokenDetailView::titleChanged, &page, &TracePage::updateCaptions);
    return view;
}

MadeView makeHeatmap(const ViewSources& from, TracePage& page) {
    auto* heatmap = new DepthHeatmapView(from.model, from.selection, from.estimate);
    heatmap->setOverlay(from.overlay);
    auto* zoom = new ZoomButtons;
    QObject::connect(zoom, &ZoomButtons::zoomWanted, heatmap, &DepthHeatmapView::zoomBy);
    QObject::connect(zoom, &ZoomButtons::fitWanted, heatmap, &DepthHeatmapView::fit);
    QObject::connect(heatmap, &DepthHeatmapView::captionChanged, &page, &TracePage::updateCaptions);
    auto view = made(heatmap);
    view.corner = zoom;
    view.caption = [=] { return heatmap->caption(); };
    view.figures = [=] { return std::vector<Figure>{{heatmap->caption(), heatmap, kWideFigure}}; };
    return view;
}

MadeView makeKv(const ViewSources& from, TracePage& page) {
    auto* kv = new KvView(from.model, from.selection);
    auto* modes = new ModeSwitch({{tr("used"), tr("Bytes of the entries stored, by recursion")},
                                  {tr("reserved"), tr("Bytes of the blocks that hold them, by recursion")},
                                  {tr("slots"), tr("Which token has keys and values in which recursion")}});
    modes->setObjectName(QStringLiteral("kvMode"));
    QObject::connect(modes, &ModeSwitch::modeChanged, &page, [=, &page](int mode) {
        kv->setMode(static_cast<KvView::Mode>(mode));
        page.updateCaptions();
    });
    auto view = made(kv);
    view.corner = modes;
    view.caption = [=] { return kv->caption(); };
    view.figures = [=] {
        const auto bytes = kv->mode() == KvView::Slots ? KvView::Used : kv->mode();
        return std::vector<Figure>{{kv->captionOf(bytes), kv->chart(), kFigure},
                                   {kv->captionOf(KvView::Slots), kv->slotMap(), kSlotFigure}};
    };
    return view;
}

MadeView makeRouting(const ViewSources& from, TracePage& page) {
    auto* routing = new RoutingView(from.model, from.selection, from.estimate);
    auto* buttons = new EstimateButtons(from.estimate);
    QObject::connect(buttons, &EstimateButtons::rerunWanted, &page, &TracePage::rerunWanted);
    QObject::connect(routing, &RoutingView::captionChanged, &page, &TracePage::updateCaptions);
    auto view = made(routing);
    view.corner = buttons;
    view.caption = [=] { return routing->caption(); };
    view.figures = [=] { return std::vector<Figure>{{routing->caption(), routing, kFigure}}; };
    return view;
}

MadeView makeCompute(const ViewSources& from, TracePage&) {
    auto* compute = new ComputeView(from.model, from.selection);
    auto* modes = new ModeSwitch({{tr("token"), tr("FLOPs of each token")},
                                  {tr("total"), tr("FLOPs so far")},
                                  {tr("time"), tr("Milliseconds of each token's passes")}});
    modes->setObjectName(QStringLiteral("computeMode"));
    QObject::connect(modes, &ModeSwitch::modeChanged, compute,
                     [=](int mode) { compute->setQuantity(static_cast<CostChart::Quantity>(mode)); });
    auto view = made(compute);
    view.corner = modes;
    view.figures = [=] { return std::vector<Figure>{{{}, compute, kFigure}}; };
    return view;
}

/// Where a column belongs.
unsigned kindOf(const TraceModel& model, int column) {
    const int trailing = column - (model.columnCount() - TraceModel::TrailingColumns);
    if (column < TraceModel::LeadingColumns) return kTokenColumns;
    if (trailing < 0) return kRoutingColumns;
    return trailing == TraceModel::KvUsed  ? kMemoryColumns
           : trailing == TraceModel::Flops ? kComputeColumns
                                           : kProbabilityColumns;
}

}  // namespace

const std::vector<ViewDescription>& viewDescriptions() {
    const auto top = QStringLiteral("top"), middle = QStringLiteral("middle"), bottom = QStringLiteral("bottom");
    static const std::vector<ViewDescription> descriptions{
        {QStringLiteral("text"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "Text"), Qt::CTRL | Qt::ALT | Qt::Key_1, top, 66,
         kTokenColumns, makeText},
        {QStringLiteral("token"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "Token"), Qt::CTRL | Qt::ALT | Qt::Key_2, top, 34,
         kRoutingColumns | kProbabilityColumns, makeToken},
        {QStringLiteral("heatmap"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "Depth heatmap"),
         Qt::CTRL | Qt::ALT | Qt::Key_3, middle, 100, kRoutingColumns, makeHeatmap},
        {QStringLiteral("kv"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "KV cache"), Qt::CTRL | Qt::ALT | Qt::Key_4, bottom,
         40, kMemoryColumns, makeKv},
        {QStringLiteral("routing"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "Routing"), Qt::CTRL | Qt::ALT | Qt::Key_5,
         bottom, 36, kRoutingColumns, makeRouting},
        {QStringLiteral("compute"), QT_TRANSLATE_NOOP("mor::ui::TracePage", "Compute"), Qt::CTRL | Qt::ALT | Qt::Key_6,
         bottom, 24, kComputeColumns, makeCompute},
    };
    return descriptions;
}

QStringList viewNames() {
    QStringList names;
    for (const auto& view : viewDescriptions()) names += view.name;
    return names;
}

std::vector<int> tableColumns(const TraceModel& model, const QString& view) {
    std::vector<int> columns;
    for (int column = 0; column < model.columnCount(); ++column) {
        const auto kind = kindOf(model, column);
        const auto draws = [&](const auto& one) { return one.name == view && (kind == kTokenColumns || one.table & kind); };
        if (view.isEmpty() || std::any_of(viewDescriptions().begin(), viewDescriptions().end(), draws))
            columns.push_back(column);
    }
    return columns;
}

}  // namespace mor::ui
