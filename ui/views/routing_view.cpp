// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/geometry.hpp"
#include "views/heat_cell.hpp"
#include "views/interaction.hpp"
#include "views/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kBar = 24;
constexpr double kGap = 12;        // between depths at the join
constexpr double kHead = 36;       // two lines above the lanes
constexpr double kExitText = 148;  // right of the join
constexpr double kNoteLine = 18;
constexpr double kNotePitch = 52;  // closer lanes have no room for numbers below them
constexpr double kLeft = 20;       // half a head of the first lane

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

RoutingView::RoutingView(TraceModel* model, Selection* selection, QWidget* parent)
    : QWidget(parent), model_(model), selection_(selection) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Routing"));
    const auto refresh = [this] {
        setAccessibleDescription(description());
        update();
    };
    connect(model, &QAbstractItemModel::modelReset, this, refresh);
    connect(model, &TraceModel::extended, this, qOverload<>(&QWidget::update));
    connect(selection, &Selection::changed, this, refresh);
}

double RoutingView::notesHeight(double width) const {
    const double pitch = (width - theme_.px(kLeft + kExitText + kBar)) / (model_->recursions() + 1);
    return model_->isRouted() && pitch >= theme_.px(kNotePitch) ? theme_.px(3 * kNoteLine + 8) : 0;
}

RoutingFlow RoutingView::flowIn(const QRectF& area) const {
    const QRectF lanes =
        area.adjusted(theme_.px(kLeft), theme_.px(kHead), -theme_.px(kExitText), -notesHeight(area.width()) - theme_.px(4));
    return layOutRouting(*model_, lanes, theme_.px(kBar),
                         std::clamp(0.35 * lanes.height() / std::max(1, model_->recursions()), 2.0, theme_.px(kGap)));
}

QColor RoutingView::laneColour(int lane) const {
    return lane == 0 ? theme_.frame().neutral : theme_.depth(lane, model_->recursions());
}

std::vector<RoutingView::Note> RoutingView::notes() const {
    std::vector<Note> notes;
    const int token = selection_->current();
    const HeatColours colours(theme_, model_->recursions());
    for (int r = 0; token >= 0 && model_->isRouted() && r < model_->recursions(); ++r) {
        const auto decision = model_->decision(token, r).value_or(mor::Decision{});
        const auto cell = heatCell(*model_, colours, ColourBy::Depth, token, r);
        Note note{r, decision.outcome == mor::Outcome::Take, {}, {}, {}};
        note.score = (glyphText(cell.glyph) + QLatin1Char(' ') + scoreText(decision.score)).trimmed();
        if (cell.tick >= 0 && cell.offered)
            note.rule = (note.taken ? QStringLiteral("≥ ") : QStringLiteral("< ")) + scoreText(cell.tick);
        note.gate = scoreText(decision.gate);
        notes.push_back(std::move(note));
    }
    return notes;
}

void RoutingView::setTheme(const Theme& theme) {
    theme_ = theme;
    updateGeometry();
    update();
}

QString RoutingView::emptyText() const {
    if (!model_->hasRun())
        return tr("Type a prompt and press Generate: the tokens' ways through the recursions appear here.");
    if (model_->recursions() == 0)
        return tr("This model has no recursions, so there is nothing to route: every token takes the same way.");
    return model_->tokenCount() == 0 ? tr("Reading the prompt …") : QString();
}

void RoutingView::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    const auto flow = flowIn(area);
    painter.save();
    drawBands(painter, flow);
    drawBars(painter, flow);
    drawWay(painter, flow);
    drawHeads(painter, area, flow);
    drawExits(painter, area, flow);
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
        painter.fillRect(QRectF(from.topRight(), QPointF(to.left(), to.bottom())),
                         blend(theme_.frame().panel, laneColour(static_cast<int>(i)), 0.38));
    }
}

void RoutingView::drawBars(QPainter& painter, const RoutingFlow& flow) const {
    const int recursions = model_->recursions();
    const auto bar = [&](const QRectF& area, const QColor& colour, bool outlined) {
        if (area.height() <= 0) return;
        painter.setPen(outlined ? QPen(theme_.frame().paleLine, 1) : QPen(Qt::NoPen));
        painter.setBrush(colour);
        const double radius = std::min(theme_.px(4), area.height() / 2);
        painter.drawRoundedRect(outlined ? area.adjusted(0.5, 0.5, -0.5, -0.5) : area, radius, radius);
    };
    for (int i = 0; i <= recursions; ++i) {
        const auto& lane = flow.lanes[static_cast<std::size_t>(i)];
        const auto colour = laneColour(i);
        bar(lane.bar, colour, contrast(colour, theme_.frame().panel) < 1.6);
        const auto depth = theme_.depth(i, recursions);
        bar(lane.exit, depth, i == 0 || contrast(depth, theme_.frame().panel) < 1.6);
    }
}

void RoutingView::drawHeads(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    // Close lanes are numbered instead of named; the first one keeps its name while there is room.
    const int named = flow.pitch >= theme_.px(76) ? model_->recursions() : flow.pitch >= theme_.px(58) ? 1 : 0;
    const double width = theme_.px(80);
    for (int i = 0; i <= model_->recursions(); ++i) {
        const auto& lane = flow.lanes[static_cast<std::size_t>(i)];
        const QRectF head(lane.bar.center().x() - width / 2, area.top(), width, theme_.px(16));
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const auto name = i == 0 ? tr("text") : i <= named ? tr("recursion %1").arg(i) : QString::number(i);
        painter.drawText(head, Qt::AlignCenter, name);
        painter.setFont(theme_.title());
        painter.setPen(theme_.frame().text);
        painter.drawText(head.translated(0, theme_.px(16)), Qt::AlignCenter, countText(lane.taken));
    }
}

void RoutingView::drawExits(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    const double line = theme_.px(16);
    const double left = flow.lanes.front().exit.right() + theme_.px(8);
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
        drawLine(painter, text, Qt::AlignLeft | Qt::AlignVCenter,
                 tr("depth %1: %2 · %3")
                     .arg(depth)
                     .arg(countText(lane.left), percentText(static_cast<double>(lane.left) / model_->tokenCount())));
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

void RoutingView::drawNotes(QPainter& painter, const QRectF& area, const RoutingFlow& flow) const {
    const auto shown = notes();
    if (shown.empty() || notesHeight(area.width()) <= 0) return;
    painter.setFont(theme_.caption());
    const double line = theme_.px(kNoteLine), top = area.bottom() - 3 * line;
    const double name = flow.lanes[1].bar.center().x() - flow.pitch / 2 - area.left();
    const bool compares = thresholdOf(*model_) >= 0;
    const auto column = [&](double x, double width, Qt::Alignment alignment, const QString& score, const QString& rule,
                            const QString& gate) {
        QRectF row(x, top, width, line);
        for (const auto& text : compares ? QStringList{score, rule, gate} : QStringList{score, gate}) {
            drawLine(painter, row, alignment | Qt::AlignVCenter, text);
            row.translate(0, line);
        }
    };
    painter.setPen(theme_.frame().caption);
    column(area.left(), name, Qt::AlignLeft, tr("score"), tr("threshold"), tr("gate"));
    painter.setPen(theme_.frame().text);
    for (const auto& note : shown) {
        const double x = flow.lanes[static_cast<std::size_t>(note.recursion) + 1].bar.center().x() - flow.pitch / 2;
        column(x - theme_.px(4), flow.pitch + theme_.px(8), Qt::AlignHCenter, note.score, note.rule, note.gate);
    }
    painter.setPen(theme_.frame().selection);
    const double right = flow.lanes.front().exit.right() + theme_.px(8);
    drawLine(painter, {right, top, area.right() - right, line}, Qt::AlignLeft | Qt::AlignVCenter,
             quoted(model_->label(selection_->current())));
}

QString RoutingView::laneTip(const RoutingFlow& flow, double x) const {
    const auto nearest = std::min_element(flow.lanes.begin(), flow.lanes.end(), [x](const auto& a, const auto& b) {
        return std::abs(a.bar.center().x() - x) < std::abs(b.bar.center().x() - x);
    });
    const auto lane = nearest - flow.lanes.begin();
    if (lane == 0) return tr("%n token(s), prompt included", nullptr, nearest->taken);
    return tr("recursion %1: %2 offered, %3 taken, %4 left before it, %5 have this depth")
        .arg(lane)
        .arg(countText(nearest->offered), countText(nearest->taken), countText(nearest->offered - nearest->taken),
             countText(nearest->left));
}

QString RoutingView::description() const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return empty;
    QStringList lines;
    const auto flow = flowIn(rect());
    for (const auto& lane : flow.lanes) lines += laneTip(flow, lane.bar.center().x());
    return lines.join(QLatin1String("; "));
}

QSize RoutingView::sizeHint() const { return QSizeF(theme_.px(480), theme_.px(220)).toSize(); }

QSize RoutingView::minimumSizeHint() const { return QSizeF(theme_.px(400), theme_.px(180)).toSize(); }

void RoutingView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

void RoutingView::keyPressEvent(QKeyEvent* event) {
    if (!steer(*selection_, *model_, *event)) QWidget::keyPressEvent(event);
}

bool RoutingView::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && emptyText().isEmpty()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QToolTip::showText(help->globalPos(), laneTip(flow(), help->pos().x()), this);
        return true;
    }
    return QWidget::event(event);
}

}  // namespace mor::ui
