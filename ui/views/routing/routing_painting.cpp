// SPDX-License-Identifier: GPL-3.0-or-later
// The looks of RoutingView.
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/score_histogram.hpp"
#include "views/routing/routing_view.hpp"

namespace mor::ui {
namespace {

constexpr double kBand = 0.38;  // how much of a lane's colour is in the band that leaves it
constexpr double kFaint = 1.6;  // less contrast to the panel needs an outline

/// An S-shaped edge between two points.
void bend(QPainterPath& path, const QPointF& to) {
    const double middle = (path.currentPosition().x() + to.x()) / 2;
    path.cubicTo(QPointF(middle, path.currentPosition().y()), QPointF(middle, to.y()), to);
}

/// The band of the tokens that leave at a lane, from its bar to the join: it sinks to its place before the next bar.
QPainterPath exitBand(const RoutingLane& lane, double pitch) {
    const double x = lane.bar.right(), top = lane.bar.bottom() - lane.exit.height();
    const double settled = std::min(x + 0.7 * pitch, lane.exit.left());
    QPainterPath path(QPointF(x, top));
    bend(path, {settled, lane.exit.top()});
    path.lineTo(lane.exit.topLeft());
    path.lineTo(lane.exit.bottomLeft());
    path.lineTo(settled, lane.exit.bottom());
    bend(path, lane.bar.bottomRight());
    path.closeSubpath();
    return path;
}

}  // namespace

void RoutingView::mixLooks() {
    const auto& frame = theme_.frame();
    const int recursions = model_->recursions();
    colours_ = HeatColours(theme_, recursions);
    looks_.clear();
    for (int lane = 0; lane <= recursions; ++lane) {
        const auto colour = lane == 0 ? frame.neutral : theme_.depth(lane, recursions);
        const auto depth = recursions > 0 ? theme_.depth(lane, recursions) : frame.neutral;
        looks_.push_back({colour, blend(frame.panel, colour, kBand), depth, contrast(colour, frame.panel) < kFaint,
                          (lane == 0 && recursions > 0) || contrast(depth, frame.panel) < kFaint});
    }
}

void RoutingView::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    const auto flow = flowIn(area);
    painter.save();
    drawBands(painter, flow);
    drawBars(painter, flow);
    if (foresees())
        drawForeseen(painter, flow);
    else
        drawWay(painter, flow);
    drawHeads(painter, area, flow);
    drawExits(painter, area, flow);
    drawHistograms(painter, area);
    drawNotes(painter, area, flow);
    painter.restore();
}

void RoutingView::drawBands(QPainter& painter, const RoutingFlow& flow) const {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    // Those who leave first, below those who go on.
    for (const auto& lane : flow.lanes)
        if (lane.left > 0) painter.fillPath(exitBand(lane, flow.pitch), theme_.frame().flow);
    for (std::size_t i = 0; i + 1 < flow.lanes.size(); ++i) {
        const auto &from = flow.lanes[i].bar, &to = flow.lanes[i + 1].bar;
        painter.fillRect(QRectF(from.topRight(), QPointF(to.left(), to.bottom())), looks_[i].band);
    }
}

void RoutingView::drawBars(QPainter& painter, const RoutingFlow& flow) const {
    const auto bar = [&](const QRectF& area, const QColor& colour, bool outlined) {
        if (area.height() <= 0) return;
        painter.setPen(outlined ? QPen(theme_.frame().paleLine, 1) : QPen(Qt::NoPen));
        painter.setBrush(colour);
        const double radius = std::min(theme_.px(4), area.height() / 2);
        painter.drawRoundedRect(outlined ? area.adjusted(0.5, 0.5, -0.5, -0.5) : area, radius, radius);
    };
    for (std::size_t i = 0; i < flow.lanes.size(); ++i) {
        bar(flow.lanes[i].bar, looks_[i].lane, looks_[i].outlined);
        bar(flow.lanes[i].exit, looks_[i].depth, looks_[i].exitOutlined);
    }
}

void RoutingView::drawHeads(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    // Close lanes are numbered instead of named; the first one keeps its name while there is room.
    const int named = flow.pitch >= theme_.px(76) ? model_->recursions() : flow.pitch >= theme_.px(50) ? 1 : 0;
    const double width = theme_.px(80);
    const auto foreseen = foresees() ? estimate_->summary().lanes : std::vector<ThresholdEstimate::Lane>{};
    for (int i = 0; i <= model_->recursions(); ++i) {
        const auto& lane = flow.lanes[static_cast<std::size_t>(i)];
        const QRectF head(lane.bar.center().x() - width / 2, area.top(), width, theme_.px(16));
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const auto name = i == 0 ? tr("text") : i <= named ? tr("recursion %1").arg(i) : QString::number(i);
        drawLine(painter, head, Qt::AlignCenter, name);
        painter.setFont(theme_.title());
        painter.setPen(theme_.frame().text);
        auto count = countText(lane.taken);
        if (i > 0 && !foreseen.empty()) {
            const auto [taken, unknown] = foreseen[static_cast<std::size_t>(i - 1)];
            count = unknown > 0 ? tr("%1–%2").arg(countText(taken), countText(taken + unknown)) : countText(taken);
            painter.setPen(theme_.frame().selection);
        }
        drawLine(painter, head.translated(0, theme_.px(16)), Qt::AlignCenter, count);
    }
}

/// Outlines over the recorded bars: solid what is certain, dashed up to what may be.
void RoutingView::drawForeseen(QPainter& painter, const RoutingFlow& flow) const {
    painter.setBrush(Qt::NoBrush);
    const auto lanes = estimate_->summary().lanes;
    for (std::size_t r = 0; r < lanes.size(); ++r) {
        const auto& bar = flow.lanes[r + 1].bar;
        const auto outline = [&](int from, int to, Qt::PenStyle style) {
            if (to <= from) return;
            painter.setPen(QPen(theme_.frame().selection, theme_.px(2), style));
            painter.drawRect(QRectF(bar.left() - theme_.px(3), bar.top() + from * flow.perToken, bar.width() + theme_.px(6),
                                    (to - from) * flow.perToken));
        };
        outline(0, lanes[r].taken, Qt::SolidLine);
        outline(lanes[r].taken, lanes[r].taken + lanes[r].unknown, Qt::DashLine);
    }
}

void RoutingView::drawExits(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    const double line = theme_.px(16);
    const double left = flow.lanes.front().exit.right() + theme_.px(8);
    const bool brief = exitsAreBrief(area.width());
    double lowest = area.top() + theme_.px(kHead) - line;
    for (int depth = model_->recursions(); depth >= 0; --depth) {
        const auto& lane = flow.lanes[static_cast<std::size_t>(depth)];
        if (lane.left == 0) continue;
        // Thin bands would put their texts on top of each other: a text is never higher than the one before it.
        const double y = std::max(lane.exit.center().y() - line / 2, lowest);
        lowest = y + line;
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const QRectF text(left, y, area.right() - left, line);
        drawLine(painter, text, Qt::AlignLeft | Qt::AlignVCenter, exitText(depth, lane.left, brief));
    }
}

void RoutingView::drawWay(QPainter& painter, const RoutingFlow& flow) const {
    const int token = selection_->current();
    if (token < 0) return;
    const int depth = std::clamp(model_->token(token).depth, 0, model_->recursions());
    const auto& last = flow.lanes[static_cast<std::size_t>(depth)];
    const double y = last.bar.bottom() - last.exit.height() / 2;
    QPainterPath way(QPointF(flow.lanes.front().bar.center().x(), y));
    way.lineTo(last.bar.right(), y);
    bend(way, {std::min(last.bar.right() + 0.7 * flow.pitch, last.exit.left()), last.exit.center().y()});
    way.lineTo(last.exit.center());
    painter.strokePath(way, QPen(theme_.frame().selection, theme_.px(2)));
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme_.frame().selection);
    for (int i = 0; i <= depth; ++i)
        painter.drawEllipse(QPointF(flow.lanes[static_cast<std::size_t>(i)].bar.center().x(), y), theme_.px(3.5),
                            theme_.px(3.5));
    painter.drawEllipse(last.exit.center(), theme_.px(3.5), theme_.px(3.5));
}

void RoutingView::drawHistograms(QPainter& painter, const QRectF& area) const {
    if (histogramHeight(area) <= 0) return;
    const int token = selection_->current();
    for (int r = 0; r < model_->recursions(); ++r) {
        HistogramMarks marks;
        marks.recorded = thresholdOf(*model_);
        marks.threshold = foresees() ? estimate_->threshold() : marks.recorded;
        const auto decision = model_->decision(token, r);
        if (decision && std::isfinite(decision->score)) marks.score = decision->score;
        drawScoreHistogram(painter, theme_, histogramIn(area, r), model_->tallies()[static_cast<std::size_t>(r)], marks);
    }
    const auto first = histogramIn(area, 0), last = histogramIn(area, model_->recursions() - 1);
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    const double line = theme_.px(16);
    drawLine(painter, {area.left(), first.center().y() - line / 2, first.left() - area.left() - theme_.px(4), line},
             Qt::AlignLeft | Qt::AlignVCenter, tr("scores"));
    if (!comparesWithThreshold()) return;
    painter.setPen(foresees() ? theme_.frame().selection : theme_.frame().caption);
    drawLine(painter,
             {last.right() + theme_.px(8), last.center().y() - line / 2, area.right() - last.right() - theme_.px(8), line},
             Qt::AlignLeft | Qt::AlignVCenter,
             foresees()                             ? tr("what if ≥ %1").arg(scoreText(estimate_->threshold()))
             : estimate_ && estimate_->isPossible() ? tr("drag the line: what if?")
                                                    : QString());
}

void RoutingView::drawNotes(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    const auto shown = notes();
    if (shown.empty() || notesHeight(area) <= 0) return;
    painter.setFont(theme_.caption());
    const double line = theme_.px(kNoteLine), top = area.bottom() - noteLines(area) * line;
    const double name = flow.lanes[1].bar.center().x() - flow.pitch / 2 - area.left();
    const bool two = std::any_of(shown.begin(), shown.end(), [](const Note& note) { return !note.other.isEmpty(); });
    const auto column = [&](double x, double width, Qt::Alignment alignment, const Note& note) {
        QRectF row(x, top, width, line);
        QStringList texts{note.score};
        if (comparesWithThreshold() && histogramHeight(area) <= 0) texts += note.rule;
        texts += note.gate;
        if (showsMargins(area)) texts += note.margin;
        if (two) texts += note.other;
        for (const auto& text : texts) {
            drawLine(painter, row, alignment | Qt::AlignVCenter, text);
            row.translate(0, line);
        }
    };
    painter.setPen(theme_.frame().caption);
    column(area.left(), name, Qt::AlignLeft,
           {0, false, tr("score"), tr("threshold"), tr("gate"), tr("margin"), otherRouterName()});
    painter.setPen(theme_.frame().text);
    for (const auto& note : shown) {
        const double x = flow.lanes[static_cast<std::size_t>(note.recursion) + 1].bar.center().x() - flow.pitch / 2;
        column(x - theme_.px(4), flow.pitch + theme_.px(8), Qt::AlignHCenter, note);
    }
    painter.setPen(theme_.frame().selection);
    const double right = flow.lanes.front().exit.right() + theme_.px(8);
    drawLine(painter, {right, top, area.right() - right, line}, Qt::AlignLeft | Qt::AlignVCenter,
             quoted(model_->label(selection_->current())));
}

}  // namespace mor::ui
