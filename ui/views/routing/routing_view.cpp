// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/routing_view.hpp"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <utility>

#include "models/router_agreement.hpp"
#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/score_histogram.hpp"
#include "views/kit/text_lines.hpp"

namespace mor::ui {
namespace {

constexpr double kBar = 24;
constexpr double kGap = 12;         // between depths at the join
constexpr int kFewestTokens = 100;  // the texts at the join have room for so many from the start
constexpr double kNotePitch = 52;   // closer lanes have no room for numbers below them
constexpr double kLeft = 20;        // half a head of the first lane
constexpr double kLeastLanes = 40, kLeastHistogram = 22, kMostHistogram = 96, kShareOfHistogram = 0.35;
constexpr double kHistogramGap = 10;     // around a histogram: the mark of the token hangs below it
constexpr double kRoomForMargins = 250;  // a tall view has a line for them
constexpr double kKeyStep = 0.01, kKeyLeap = 0.1;

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

}  // namespace

RoutingView::RoutingView(TraceModel* model, Selection* selection, ThresholdEstimate* estimate, QWidget* parent)
    : QWidget(parent), model_(model), selection_(selection), estimate_(estimate) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Routing"));
    setAttribute(Qt::WA_OpaquePaintEvent);
    auto* describer = new Later(this, kDescribeLater, [this] { setAccessibleDescription(description()); });
    connect(model, &QAbstractItemModel::modelReset, this, [=, this] {
        mixLooks();
        describer->now();
        update();
    });
    auto* painting = new Later(this, kDrawLater, [this] { update(); });
    connect(model, &TraceModel::extended, painting, &Later::soon);
    connect(model, &TraceModel::rewound, painting, &Later::now);
    connect(selection, &Selection::changed, this, [=, shown = Selection::Marks{}]() mutable {
        const bool acted = std::exchange(shown, selection->marks()) != selection->marks();  // or the text has grown
        for (auto* work : {describer, painting}) acted ? work->now() : work->soon();
    });
    mixLooks();
    if (!estimate) return;
    connect(estimate, &ThresholdEstimate::changed, this, [=, this] {
        describer->now();
        update();
        emit captionChanged();
    });
}

bool RoutingView::comparesWithThreshold() const { return thresholdOf(*model_) >= 0; }

bool RoutingView::foresees() const { return estimate_ && estimate_->isActive(); }

bool RoutingView::hasTwoRouters() const {
    return model_->isRouted() && model_->header().config.mor.sampling == mor::ExpertSampling::AuxRouter &&
           !choosesDepth(*model_);
}

bool RoutingView::auxiliaryDecides() const {
    return hasTwoRouters() && model_->header().routing.head != mor::RoutingHead::Main;
}

QString RoutingView::otherRouterName() const { return auxiliaryDecides() ? tr("main") : tr("auxiliary"); }

QString RoutingView::otherRouter(const mor::Decision& decision, int recursion) const {
    const double logit = auxiliaryDecides() ? decision.logit : decision.aux_logit;
    if (!hasTwoRouters() || !std::isfinite(logit)) return {};
    const double score = sigmoid(logit), threshold = thresholdOf(*model_);
    // Only the auxiliary router was trained to stand on one side of a threshold.
    const bool differs = auxiliaryDecides()
                             ? routerAgreement(*model_, recursion).differs(decision)
                             : threshold >= 0 && std::isfinite(decision.score) &&
                                   (score >= threshold) != (static_cast<double>(decision.score) >= threshold);
    return scoreText(score) + (differs ? QStringLiteral(" ≠") : QString());
}

int RoutingView::noteLines(const QRectF& area) const {
    // A histogram shows the threshold better than words do.
    return 2 + showsMargins(area) + hasTwoRouters() + (comparesWithThreshold() && histogramHeight(area) <= 0);
}

bool RoutingView::showsMargins(const QRectF& area) const { return area.height() >= theme_.px(kRoomForMargins); }

double RoutingView::exitWidth(bool brief) const {
    const auto longest = exitText(model_->recursions(), std::max(model_->tokenCount(), kFewestTokens), brief);
    return textWidth(theme_.caption(), longest) + theme_.px(12);
}

QString RoutingView::exitText(int depth, int tokens, bool brief) const {
    const auto share = percentText(static_cast<double>(tokens) / std::max(tokens, model_->tokenCount()));
    if (model_->recursions() == 0) return tr("all layers: %1 · %2").arg(countText(tokens), share);
    return (brief ? tr("%1: %2 · %3") : tr("depth %1: %2 · %3")).arg(QString::number(depth), countText(tokens), share);
}

double RoutingView::pitchIn(double width, bool brief) const {
    return (width - theme_.px(kLeft + kBar) - exitWidth(brief)) / (model_->recursions() + 1);
}

bool RoutingView::exitsAreBrief(double width) const {
    return model_->isRouted() && pitchIn(width, false) < theme_.px(kNotePitch);
}

double RoutingView::pitchIn(double width) const { return pitchIn(width, exitsAreBrief(width)); }

bool RoutingView::hasRoomForNotes(double width) const {
    return model_->isRouted() && pitchIn(width) >= theme_.px(kNotePitch);
}

double RoutingView::notesHeight(const QRectF& area) const {
    return hasRoomForNotes(area.width()) ? theme_.px(noteLines(area) * kNoteLine + 8) : 0;
}

double RoutingView::histogramHeight(const QRectF& area) const {
    if (!hasRoomForNotes(area.width())) return 0;
    const double notes = theme_.px((2 + showsMargins(area) + hasTwoRouters()) * kNoteLine + 8);
    const double room = area.height() - theme_.px(kHead) - notes - theme_.px(2 * kHistogramGap);
    const double wanted = std::clamp(room * kShareOfHistogram, theme_.px(kLeastHistogram), theme_.px(kMostHistogram));
    return room - wanted >= theme_.px(kLeastLanes) ? std::floor(wanted) : 0;
}

QRectF RoutingView::histogramIn(const QRectF& area, int recursion) const {
    const double height = histogramHeight(area), pitch = pitchIn(area.width());
    if (height <= 0) return {};
    const double centre = area.left() + theme_.px(kLeft + kBar / 2) + (recursion + 1) * pitch;
    const double width = std::min(pitch - theme_.px(8), theme_.px(160));
    return {centre - width / 2, area.bottom() - notesHeight(area) - theme_.px(kHistogramGap) - height, width, height};
}

QRectF RoutingView::histogram(int recursion) const { return histogramIn(rect(), recursion); }

RoutingFlow RoutingView::flowIn(const QRectF& area) const {
    const double histograms = histogramHeight(area);
    const double below = notesHeight(area) + (histograms > 0 ? histograms + theme_.px(2 * kHistogramGap) : theme_.px(4));
    const QRectF lanes = area.adjusted(theme_.px(kLeft), theme_.px(kHead), -exitWidth(exitsAreBrief(area.width())), -below);
    return layOutRouting(*model_, lanes, theme_.px(kBar),
                         std::clamp(0.35 * lanes.height() / std::max(1, model_->recursions()), 2.0, theme_.px(kGap)));
}

std::vector<RoutingView::Note> RoutingView::notes() const {
    std::vector<Note> notes;
    const int token = selection_->current();
    for (int r = 0; token >= 0 && model_->isRouted() && r < model_->recursions(); ++r) {
        const auto decision = model_->decision(token, r).value_or(mor::Decision{});
        const auto cell = heatCell(*model_, colours_, ColourBy::Depth, token, r);
        Note note{r, decision.outcome == mor::Outcome::Take, {}, {}, {}, {}, otherRouter(decision, r)};
        note.score = (glyphText(cell.glyph) + QLatin1Char(' ') + scoreText(decision.score)).trimmed();
        if (cell.tick >= 0 && cell.offered)
            note.rule = (note.taken ? QStringLiteral("≥ ") : QStringLiteral("< ")) + scoreText(cell.tick);
        note.gate = scoreText(decision.gate);
        note.margin = scoreText(decision.margin);
        notes.push_back(std::move(note));
    }
    return notes;
}

QString RoutingView::recordedCaption() const {
    if (model_->hasRun() && model_->recursions() == 0) return tr("no recursions: one way for all tokens");
    if (model_->hasRun() && !model_->isRouted()) return tr("no router: every token takes every recursion");
    if (!auxiliaryDecides() || model_->tokenCount() == 0) return tr("tokens entering and leaving each recursion");
    int offered = 0, differing = 0;
    for (int r = 0; r < model_->recursions(); ++r) {
        const auto agreement = routerAgreement(*model_, r);
        offered += agreement.offered;
        differing += agreement.differing;
    }
    return tr("auxiliary decides; main differs in %1 of %2 (≠)").arg(countText(differing), countText(offered));
}

QString RoutingView::caption() const {
    if (!foresees()) return recordedCaption();
    const auto summary = estimate_->summary();
    auto text = tr("estimate at %1: %2 leave earlier, %3 go further")
                    .arg(scoreText(estimate_->threshold()), countText(summary.shallower), countText(summary.deeper));
    if (summary.unknown > 0) text += tr(" (%1 unknown how far)").arg(countText(summary.unknown));
    return text;
}

void RoutingView::setTheme(const Theme& theme) {
    theme_ = theme;
    mixLooks();
    updateGeometry();
    update();
}

QString RoutingView::emptyText() const {
    if (!model_->hasRun())
        return tr("Type a prompt and press Generate: the tokens' ways through the recursions appear here.");
    return model_->tokenCount() == 0 ? tr("Reading the prompt …") : QString();
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
    if (foresees() || model_->recursions() == 0) lines += caption();
    return lines.join(QLatin1String("; "));
}

QSize RoutingView::sizeHint() const { return QSizeF(theme_.px(480), theme_.px(240)).toSize(); }

QSize RoutingView::minimumSizeHint() const { return QSizeF(theme_.px(400), theme_.px(180)).toSize(); }

void RoutingView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

void RoutingView::keyPressEvent(QKeyEvent* event) {
    const bool up = event->key() == Qt::Key_Up, down = event->key() == Qt::Key_Down;
    if (estimate_ && estimate_->isPossible() && (up || down)) {
        const double step = event->modifiers() & Qt::ShiftModifier ? kKeyLeap : kKeyStep;
        return estimate_->setThreshold(estimate_->threshold() + (up ? step : -step));
    }
    if (foresees() && event->key() == Qt::Key_Backspace) return estimate_->reset();
    if (!steer(*selection_, *model_, *event)) QWidget::keyPressEvent(event);
}

int RoutingView::graspedHistogram(const QPointF& at) const {
    if (!estimate_ || !estimate_->isPossible() || !emptyText().isEmpty()) return -1;
    for (int r = 0; r < model_->recursions(); ++r) {
        const auto area = histogram(r);
        if (!area.isEmpty() && at.y() >= area.top() && at.y() <= area.bottom() &&
            std::abs(at.x() - histogramX(area, estimate_->threshold())) <= kGrasp)
            return r;
    }
    return -1;
}

void RoutingView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) dragged_ = graspedHistogram(event->position());
}

void RoutingView::mouseMoveEvent(QMouseEvent* event) {
    if (dragged_ >= 0) return estimate_->setThreshold(histogramScore(histogram(dragged_), event->position().x()));
    setCursor(graspedHistogram(event->position()) >= 0 ? Qt::SplitHCursor : Qt::ArrowCursor);
}

void RoutingView::mouseReleaseEvent(QMouseEvent*) { dragged_ = -1; }

void RoutingView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (graspedHistogram(event->position()) >= 0) estimate_->reset();
}

bool RoutingView::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && emptyText().isEmpty()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const auto text =
            graspedHistogram(help->pos()) >= 0
                ? tr("What if the threshold were elsewhere? Drag, or use the up and down keys: an estimate from "
                     "the recorded scores, until the text is generated again. Double-click: as recorded.")
                : laneTip(flow(), help->pos().x());
        QToolTip::showText(help->globalPos(), text, this);
        return true;
    }
    return QWidget::event(event);
}

}  // namespace mor::ui
