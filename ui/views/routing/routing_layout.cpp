// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/routing_layout.hpp"

#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/heat_cell.hpp"
#include "views/kit/text_lines.hpp"
#include "views/routing/router_pair.hpp"

namespace mor::ui {
namespace {

constexpr double kBar = 24, kGap = 12;  // of a lane; between depths at the join
constexpr int kFewestTokens = 100;      // the texts at the join have room for so many from the start
constexpr double kNotePitch = 52;       // closer lanes have no room for numbers below them
constexpr double kLeft = 20;            // half a head of the first lane
constexpr double kHead = 36, kNoteLine = 18, kNotesAbove = 8;
constexpr double kLeastLanes = 40, kLeastHistogram = 22, kMostHistogram = 96, kShareOfHistogram = 0.35;
constexpr double kHistogramGap = 10;  // around a histogram: the mark of the token hangs below it
constexpr double kWidestHistogram = 160;
constexpr double kRoomForMargins = 250;  // a tall view has a line for them

double exitWidth(const TraceModel& model, const Theme& theme, bool brief) {
    const auto longest = exitText(model, model.recursions(), std::max(model.tokenCount(), kFewestTokens), brief);
    return textWidth(theme.caption(), longest) + theme.px(12);
}

/// Lanes, their counts, and the join, in `area`.
void placeLanes(RoutingLayout& layout, const TraceModel& model, const QRectF& area, double barWidth, double gap) {
    const int recursions = model.recursions();
    layout.perToken = std::max(0.0, area.height() - recursions * gap) / std::max(1, model.tokenCount());
    for (int r = 0; r <= recursions; ++r) {
        RoutingLane lane;
        lane.left = model.depthCounts()[static_cast<std::size_t>(r)];
        lane.offered = r == 0 ? model.tokenCount() : model.tallies()[static_cast<std::size_t>(r) - 1].offered;
        lane.taken = r == 0 ? model.tokenCount() : model.tallies()[static_cast<std::size_t>(r) - 1].taken;
        lane.bar = {area.left() + r * layout.pitch, area.top(), barWidth, lane.taken * layout.perToken};
        lane.exit = {area.right() - barWidth,
                     area.top() + (lane.taken - lane.left) * layout.perToken + (recursions - r) * gap, barWidth,
                     lane.left * layout.perToken};
        layout.lanes.push_back(lane);
    }
}

/// Height of the histograms in this area with so many lines of notes below them; 0: no room.
double histogramHeight(const Theme& theme, const QRectF& area, int noteLines) {
    const double notes = theme.px(noteLines * kNoteLine + kNotesAbove);
    const double room = area.height() - theme.px(kHead) - notes - theme.px(2 * kHistogramGap);
    const double wanted = std::clamp(room * kShareOfHistogram, theme.px(kLeastHistogram), theme.px(kMostHistogram));
    return room - wanted >= theme.px(kLeastLanes) ? std::floor(wanted) : 0;
}

/// Notes at the bottom, histograms above them; returns the height they take away from the lanes.
double placeNotes(RoutingLayout& layout, const TraceModel& model, const RouterPair& routers, const Theme& theme) {
    if (!model.isRouted() || layout.pitch < theme.px(kNotePitch)) return theme.px(4);
    layout.hasMargins = layout.area.height() >= theme.px(kRoomForMargins);
    layout.hasOther = routers.areTwo();
    int lines = 2 + layout.hasMargins + layout.hasOther;
    const double height = histogramHeight(theme, layout.area, lines);
    // A histogram shows the threshold better than words do.
    layout.hasRule = height <= 0 && thresholdOf(model) >= 0;
    lines += layout.hasRule;
    layout.noteLine = theme.px(kNoteLine);
    layout.notes = {layout.area.left(), layout.area.bottom() - lines * layout.noteLine, layout.area.width(),
                    lines * layout.noteLine};
    const double notes = layout.notes.height() + theme.px(kNotesAbove);
    if (height <= 0) return notes + theme.px(4);
    const double width = std::min(layout.pitch - theme.px(8), theme.px(kWidestHistogram));
    for (int r = 0; r < model.recursions(); ++r) {
        const double centre = layout.area.left() + theme.px(kLeft + kBar / 2) + (r + 1) * layout.pitch;
        layout.histograms.push_back(
            {centre - width / 2, layout.area.bottom() - notes - theme.px(kHistogramGap) - height, width, height});
    }
    return notes + height + theme.px(2 * kHistogramGap);
}

}  // namespace

QString exitText(const TraceModel& model, int depth, int tokens, bool brief) {
    const auto share = percentText(static_cast<double>(tokens) / std::max({1, tokens, model.tokenCount()}));
    if (model.recursions() == 0) return TraceModel::tr("all layers: %1 · %2").arg(countText(tokens), share);
    return (brief ? TraceModel::tr("%1: %2 · %3") : TraceModel::tr("depth %1: %2 · %3"))
        .arg(QString::number(depth), countText(tokens), share);
}

RoutingLayout layOutRouting(const TraceModel& model, const RouterPair& routers, const Theme& theme, const QRectF& area) {
    RoutingLayout layout;
    layout.area = area;
    if (!model.hasRun()) return layout;
    const auto pitch = [&](bool brief) {
        return (area.width() - theme.px(kLeft + kBar) - exitWidth(model, theme, brief)) / (model.recursions() + 1);
    };
    layout.brief = model.isRouted() && pitch(false) < theme.px(kNotePitch);
    layout.pitch = pitch(layout.brief);
    const double below = placeNotes(layout, model, routers, theme);
    const QRectF lanes = area.adjusted(theme.px(kLeft), theme.px(kHead), -exitWidth(model, theme, layout.brief), -below);
    placeLanes(layout, model, lanes, theme.px(kBar),
               std::clamp(0.35 * lanes.height() / std::max(1, model.recursions()), 2.0, theme.px(kGap)));
    return layout;
}

}  // namespace mor::ui
