// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/routing_painter.hpp"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/score_histogram.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

constexpr double kBand = 0.38;  // how much of a lane's colour is in the band that leaves it
constexpr double kFaint = 1.6;  // less contrast to the panel needs an outline
constexpr double kLine = 16;    // of a head, of a text at the join

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

RoutingColours::RoutingColours(const Theme& theme, int recursions) : cells(theme, recursions) {
    const auto& frame = theme.frame();
    for (int lane = 0; lane <= recursions; ++lane) {
        const auto colour = lane == 0 ? frame.neutral : theme.depth(lane, recursions);
        const auto depth = recursions > 0 ? theme.depth(lane, recursions) : frame.neutral;
        lanes.push_back({colour, blend(frame.panel, colour, kBand), depth, contrast(colour, frame.panel) < kFaint,
                         (lane == 0 && recursions > 0) || contrast(depth, frame.panel) < kFaint});
    }
}

RoutingPainter::RoutingPainter(const TraceModel& model, const Selection& selection, const RouterPair& routers,
                               const Theme& theme, const RoutingColours& colours)
    : model_(model),
      selection_(selection),
      routers_(routers),
      theme_(theme),
      colours_(colours),
      threshold_(thresholdOf(model)) {}

void RoutingPainter::setForeseen(double threshold, const ThresholdEstimate::Summary* foreseen) {
    threshold_ = threshold;
    foreseen_ = foreseen;
}

void RoutingPainter::draw(QPainter& painter, const RoutingLayout& layout) const {
    drawBands(painter, layout);
    drawBars(painter, layout);
    if (foreseen_)
        drawForeseen(painter, layout);
    else
        drawWay(painter, layout);
    drawHeads(painter, layout);
    drawExits(painter, layout);
    drawHistograms(painter, layout);
    drawNotes(painter, layout);
}

void RoutingPainter::drawBands(QPainter& painter, const RoutingLayout& layout) const {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    // Those who leave first, below those who go on.
    for (const auto& lane : layout.lanes)
        if (lane.left > 0) painter.fillPath(exitBand(lane, layout.pitch), theme_.frame().flow);
    for (std::size_t i = 0; i + 1 < layout.lanes.size(); ++i) {
        const auto &from = layout.lanes[i].bar, &to = layout.lanes[i + 1].bar;
        painter.fillRect(QRectF(from.topRight(), QPointF(to.left(), to.bottom())), colours_.lanes[i].band);
    }
}

void RoutingPainter::drawBars(QPainter& painter, const RoutingLayout& layout) const {
    const auto bar = [&](const QRectF& area, const QColor& colour, bool outlined) {
        if (area.height() <= 0) return;
        painter.setPen(outlined ? QPen(theme_.frame().paleLine, 1) : QPen(Qt::NoPen));
        painter.setBrush(colour);
        const double radius = std::min(theme_.px(4), area.height() / 2);
        painter.drawRoundedRect(outlined ? area.adjusted(0.5, 0.5, -0.5, -0.5) : area, radius, radius);
    };
    for (std::size_t i = 0; i < layout.lanes.size(); ++i) {
        bar(layout.lanes[i].bar, colours_.lanes[i].lane, colours_.lanes[i].outlined);
        bar(layout.lanes[i].exit, colours_.lanes[i].depth, colours_.lanes[i].exitOutlined);
    }
}

void RoutingPainter::drawHeads(QPainter& painter, const RoutingLayout& layout) const {
    // Close lanes are numbered instead of named; the first one keeps its name while there is room.
    const int named = layout.pitch >= theme_.px(76) ? model_.recursions() : layout.pitch >= theme_.px(50) ? 1 : 0;
    const double width = theme_.px(80);
    for (int i = 0; i <= model_.recursions(); ++i) {
        const auto& lane = layout.lanes[static_cast<std::size_t>(i)];
        const QRectF head(lane.bar.center().x() - width / 2, layout.area.top(), width, theme_.px(kLine));
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const auto name = i == 0       ? TraceModel::tr("text")
                          : i <= named ? TraceModel::tr("recursion %1").arg(i)
                                       : QString::number(i);
        drawLine(painter, head, Qt::AlignCenter, name);
        painter.setFont(theme_.title());
        painter.setPen(theme_.frame().text);
        auto count = countText(lane.taken);
        if (i > 0 && foreseen_) {
            const auto [taken, unknown] = foreseen_->lanes[static_cast<std::size_t>(i - 1)];
            count =
                unknown > 0 ? TraceModel::tr("%1–%2").arg(countText(taken), countText(taken + unknown)) : countText(taken);
            painter.setPen(theme_.frame().selection);
        }
        drawLine(painter, head.translated(0, theme_.px(kLine)), Qt::AlignCenter, count);
    }
}

/// Outlines over the recorded bars: solid what is certain, dashed up to what may be.
void RoutingPainter::drawForeseen(QPainter& painter, const RoutingLayout& layout) const {
    painter.setBrush(Qt::NoBrush);
    for (std::size_t r = 0; r < foreseen_->lanes.size(); ++r) {
        const auto& bar = layout.lanes[r + 1].bar;
        const auto outline = [&](int from, int to, Qt::PenStyle style) {
            if (to <= from) return;
            painter.setPen(QPen(theme_.frame().selection, theme_.px(2), style));
            painter.drawRect(QRectF(bar.left() - theme_.px(3), bar.top() + from * layout.perToken,
                                    bar.width() + theme_.px(6), (to - from) * layout.perToken));
        };
        const auto [taken, unknown] = foreseen_->lanes[r];
        outline(0, taken, Qt::SolidLine);
        outline(taken, taken + unknown, Qt::DashLine);
    }
}

void RoutingPainter::drawExits(QPainter& painter, const RoutingLayout& layout) const {
    const double line = theme_.px(kLine);
    const double left = layout.lanes.front().exit.right() + theme_.px(8);
    double lowest = layout.area.top() + theme_.px(20);
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    for (int depth = model_.recursions(); depth >= 0; --depth) {
        const auto& lane = layout.lanes[static_cast<std::size_t>(depth)];
        if (lane.left == 0) continue;
        // Thin bands would put their texts on top of each other: a text is never higher than the one before it.
        const double y = std::max(lane.exit.center().y() - line / 2, lowest);
        lowest = y + line;
        drawLine(painter, {left, y, layout.area.right() - left, line}, Qt::AlignLeft | Qt::AlignVCenter,
                 exitText(model_, depth, lane.left, layout.brief));
    }
}

void RoutingPainter::drawWay(QPainter& painter, const RoutingLayout& layout) const {
    const int token = selection_.current();
    if (token < 0) return;
    const int depth = std::clamp(model_.token(token).depth, 0, model_.recursions());
    const auto& last = layout.lanes[static_cast<std::size_t>(depth)];
    const double y = last.bar.bottom() - last.exit.height() / 2;
    QPainterPath way(QPointF(layout.lanes.front().bar.center().x(), y));
    way.lineTo(last.bar.right(), y);
    bend(way, {std::min(last.bar.right() + 0.7 * layout.pitch, last.exit.left()), last.exit.center().y()});
    way.lineTo(last.exit.center());
    painter.strokePath(way, QPen(theme_.frame().selection, theme_.px(2)));
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme_.frame().selection);
    for (int i = 0; i <= depth; ++i)
        painter.drawEllipse(QPointF(layout.lanes[static_cast<std::size_t>(i)].bar.center().x(), y), theme_.px(3.5),
                            theme_.px(3.5));
    painter.drawEllipse(last.exit.center(), theme_.px(3.5), theme_.px(3.5));
}

void RoutingPainter::drawHistograms(QPainter& painter, const RoutingLayout& layout) const {
    if (layout.histograms.empty()) return;
    for (std::size_t r = 0; r < layout.histograms.size(); ++r) {
        HistogramMarks marks;
        marks.recorded = thresholdOf(model_);
        marks.threshold = threshold_;
        const auto decision = model_.decision(selection_.current(), static_cast<int>(r));
        if (decision && std::isfinite(decision->score)) marks.score = decision->score;
        drawScoreHistogram(painter, theme_, layout.histograms[r], model_.tallies()[r], marks);
    }
    const auto& first = layout.histograms.front();
    const double line = theme_.px(kLine);
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    drawLine(painter,
             {layout.area.left(), first.center().y() - line / 2, first.left() - layout.area.left() - theme_.px(4), line},
             Qt::AlignLeft | Qt::AlignVCenter, TraceModel::tr("scores"));
    if (foreseen_)
        drawBesideHistograms(painter, theme_, layout, theme_.frame().selection,
                             TraceModel::tr("what if ≥ %1").arg(scoreText(threshold_)));
}

void RoutingPainter::drawNotes(QPainter& painter, const RoutingLayout& layout) const {
    const auto shown = routingNotes(model_, colours_.cells, routers_, selection_.current());
    if (shown.empty() || layout.notes.isEmpty()) return;
    painter.setFont(theme_.caption());
    const double name = layout.lanes[1].bar.center().x() - layout.pitch / 2 - layout.area.left();
    const auto column = [&](double x, double width, Qt::Alignment alignment, const RoutingNote& note) {
        QRectF row(x, layout.notes.top(), width, layout.noteLine);
        QStringList texts{note.score};
        if (layout.hasRule) texts += note.rule;
        texts += note.gate;
        if (layout.hasMargins) texts += note.margin;
        if (layout.hasOther) texts += note.other;
        for (const auto& text : texts) {
            drawLine(painter, row, alignment | Qt::AlignVCenter, text);
            row.translate(0, layout.noteLine);
        }
    };
    painter.setPen(theme_.frame().caption);
    column(layout.area.left(), name, Qt::AlignLeft,
           {0, false, TraceModel::tr("score"), TraceModel::tr("threshold"), TraceModel::tr("gate"),
            TraceModel::tr("margin"), routers_.nameOfOther()});
    painter.setPen(theme_.frame().text);
    for (const auto& note : shown) {
        const double x = layout.lanes[static_cast<std::size_t>(note.recursion) + 1].bar.center().x() - layout.pitch / 2;
        column(x - theme_.px(4), layout.pitch + theme_.px(8), Qt::AlignHCenter, note);
    }
    painter.setPen(theme_.frame().selection);
    const double right = layout.lanes.front().exit.right() + theme_.px(8);
    drawLine(painter, {right, layout.notes.top(), layout.area.right() - right, layout.noteLine},
             Qt::AlignLeft | Qt::AlignVCenter, quoted(tokenName(model_, selection_.current())));
}

void drawBesideHistograms(QPainter& painter, const Theme& theme, const RoutingLayout& layout, const QColor& ink,
                          const QString& text) {
    if (layout.histograms.empty()) return;
    const auto& last = layout.histograms.back();
    const double left = last.right() + theme.px(8), line = theme.px(kLine);
    painter.setFont(theme.caption());
    painter.setPen(ink);
    drawLine(painter, {left, last.center().y() - line / 2, layout.area.right() - left, line},
             Qt::AlignLeft | Qt::AlignVCenter, text);
}

}  // namespace mor::ui
