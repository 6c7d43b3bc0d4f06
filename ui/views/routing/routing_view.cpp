// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/routing_view.hpp"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

#include "views/kit/geometry.hpp"

namespace mor::ui {
namespace {

constexpr double kKeyStep = 0.01, kKeyLeap = 0.1;

ViewTraits traits() {
    return {RoutingView::tr("Routing"),
            RoutingView::tr("Type a prompt and press Generate: the tokens' ways through the recursions appear here."),
            {480, 240},
            {400, 180}};
}

}  // namespace

RoutingView::RoutingView(TraceModel* model, Selection* selection, ThresholdEstimate* estimate, QWidget* parent)
    : WholeView(model, selection, traits(), parent), estimate_(estimate), grip_(estimate) {
    if (estimate)
        connect(estimate, &ThresholdEstimate::changed, this, [this] {
            refresh();
            describeNow();
        });
    setTheme({});
    RoutingView::refresh();
}

/// All that goes through every token, once for each change of the data.
void RoutingView::refresh() {
    routers_.update(*model_);
    foreseen_.reset();
    if (estimate_ && estimate_->isActive()) foreseen_ = estimate_->summary();
    layOut();
    WholeView::refresh();
    if (std::exchange(shownCaption_, caption()) != shownCaption_) emit captionChanged();
}

void RoutingView::layOut() { layout_ = layOutRouting(*model_, routers_, theme_, rect()); }

std::vector<RoutingNote> RoutingView::notes() const {
    return routingNotes(*model_, colours_.cells, routers_, selection_->current());
}

void RoutingView::draw(QPainter& painter, const QRectF& area) const {
    RoutingPainter routing(*model_, *selection_, routers_, theme_, colours_);
    if (foreseen_) routing.setForeseen(estimate_->threshold(), &*foreseen_);
    routing.draw(painter, area == layout_.area ? layout_ : layOutRouting(*model_, routers_, theme_, area));
}

void RoutingView::drawHints(QPainter& painter) const {
    if (!estimate_ || !estimate_->isPossible() || foreseen_) return;
    drawBesideHistograms(painter, theme_, layout_, theme_.frame().caption, tr("drag the line: what if?"));
}

QString RoutingView::caption() const {
    if (foreseen_) {
        auto text =
            tr("estimate at %1: %2 leave earlier, %3 go further")
                .arg(scoreText(estimate_->threshold()), countText(foreseen_->shallower), countText(foreseen_->deeper));
        if (foreseen_->unknown > 0) text += tr(" (%1 unknown how far)").arg(countText(foreseen_->unknown));
        return text;
    }
    if (model_->hasRun() && model_->recursions() == 0) return tr("no recursions: one way for all tokens");
    if (model_->hasRun() && !model_->isRouted()) return tr("no router: every token takes every recursion");
    if (!routers_.auxiliaryDecides() || model_->tokenCount() == 0) return tr("tokens entering and leaving each recursion");
    return tr("auxiliary decides; main differs in %1 of %2 (≠)")
        .arg(countText(routers_.differing()), countText(routers_.offered()));
}

QString RoutingView::laneText(std::size_t index) const {
    const auto& lane = layout_.lanes[index];
    if (index == 0) return tr("%n token(s), prompt included", nullptr, lane.taken);
    return tr("recursion %1: %2 offered, %3 taken, %4 left before it, %5 have this depth")
        .arg(index)
        .arg(countText(lane.offered), countText(lane.taken), countText(lane.offered - lane.taken), countText(lane.left));
}

QString RoutingView::describe() const {
    QStringList lines;
    for (std::size_t lane = 0; lane < layout_.lanes.size(); ++lane) lines += laneText(lane);
    if (foreseen_ || model_->recursions() == 0) lines += caption();
    return lines.join(QLatin1String("; "));
}

QString RoutingView::tipAt(const QPointF& at) const {
    if (!emptyText().isEmpty()) return {};
    if (grip_.isAt(at, layout_.histograms))
        return tr(
            "What if the threshold were elsewhere? Drag, or use the up and down keys: an estimate from "
            "the recorded scores, until the text is generated again. Double-click: as recorded.");
    const auto& lanes = layout_.lanes;
    const auto nearest = std::min_element(lanes.begin(), lanes.end(), [&](const auto& a, const auto& b) {
        return std::abs(a.bar.center().x() - at.x()) < std::abs(b.bar.center().x() - at.x());
    });
    return laneText(static_cast<std::size_t>(nearest - lanes.begin()));
}

bool RoutingView::press(QKeyEvent& event) {
    const bool up = event.key() == Qt::Key_Up, down = event.key() == Qt::Key_Down;
    if (estimate_ && estimate_->isPossible() && (up || down)) {
        const double step = event.modifiers() & Qt::ShiftModifier ? kKeyLeap : kKeyStep;
        estimate_->setThreshold(estimate_->threshold() + (up ? step : -step));
        return true;
    }
    if (foreseen_ && event.key() == Qt::Key_Backspace) {
        estimate_->reset();
        return true;
    }
    return WholeView::press(event);
}

void RoutingView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && emptyText().isEmpty()) grip_.press(event->position(), layout_.histograms);
}

void RoutingView::mouseMoveEvent(QMouseEvent* event) {
    if (grip_.drag(event->position())) return;
    setCursor(grip_.isAt(event->position(), layout_.histograms) ? Qt::SplitHCursor : Qt::ArrowCursor);
}

void RoutingView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (grip_.isAt(event->position(), layout_.histograms)) grip_.putBack();
}

}  // namespace mor::ui
