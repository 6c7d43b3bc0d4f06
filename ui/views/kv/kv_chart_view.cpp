// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_chart_view.hpp"

#include <QGraphicsLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QtCharts/QAreaSeries>
#include <QtCharts/QChart>
#include <QtCharts/QLegend>
#include <QtCharts/QLineSeries>
#include <QtCharts/QValueAxis>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/figures.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"

namespace mor::ui {
namespace {

constexpr double kFewestTokens = 16;
constexpr double kTolerance = 0.5;  // pixels that a curve may be off

/// Only what changed: every property of an axis lays the chart out again.
void setAxis(QValueAxis* axis, double end, double step) {
    if (axis->max() == end && axis->tickInterval() == step) return;
    axis->setLabelFormat(QStringLiteral("%.%1f").arg(step < 1 ? 2 : step != std::floor(step) ? 1 : 0));
    // A long range with a short interval, if only in between, would make labels by the thousand.
    if (end > axis->max()) axis->setTickInterval(step);
    axis->setRange(0, end);
    axis->setTickInterval(step);
}

}  // namespace

KvChartView::KvChartView(TraceModel* model, Selection* selection, QWidget* parent)
    : QChartView(parent), model_(model), selection_(selection) {
    setFrameShape(NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("KV cache"));
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    chart()->legend()->hide();
    chart()->setAnimationOptions(QChart::NoAnimation);
    chart()->setBackgroundRoundness(0);
    chart()->setMargins({});
    chart()->setLocalizeNumbers(true);
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    makeAxes();
    pending_.setSingleShot(true);
    connect(&pending_, &QTimer::timeout, this, &KvChartView::flush);
    connect(model, &QAbstractItemModel::modelReset, this, &KvChartView::rebuild);
    connect(model, &TraceModel::extended, this, [this] {
        const bool goesOn = flushed_.isValid() && flushed_.elapsed() < 2 * kDrawLater;
        if (!pending_.isActive()) pending_.start(goesOn ? kDrawLater : kDrawBetween);
    });
    connect(selection, &Selection::changed, this, [this] {
        if (marks_ == selection_->marks()) return;  // the newest token alone is no mark here
        marks_ = selection_->marks();
        viewport()->update();
    });
    rebuild();
}

void KvChartView::makeAxes() {
    tokens_ = new QValueAxis(this);
    bytes_ = new QValueAxis(this);
    chart()->addAxis(tokens_, Qt::AlignBottom);
    chart()->addAxis(bytes_, Qt::AlignLeft);
    for (auto* axis : {tokens_, bytes_}) {
        axis->setTickType(QValueAxis::TicksDynamic);
        axis->setTickAnchor(0);
        axis->setMinorTickCount(0);
    }
    tokens_->setGridLineVisible(false);
    tokens_->setLabelFormat(QStringLiteral("%.0f"));
    bytes_->setLineVisible(false);
    tokens_->setTitleText(tr("tokens"));
}

void KvChartView::rebuild() {
    chart()->removeAllSeries();  // deletes the series; the lines of areas stay ours
    for (const auto& stack : stacks_) delete stack.upper;
    stacks_.clear();
    const QLineSeries* below = nullptr;
    for (int layer = 0; layer <= model_->recursions(); ++layer) {
        auto* upper = new QLineSeries(this);
        auto* area = new QAreaSeries(upper, const_cast<QLineSeries*>(below));
        stacks_.push_back({area, upper});
        below = upper;
    }
    vanilla_ = new QLineSeries;
    for (const auto& stack : stacks_) chart()->addSeries(stack.area);
    chart()->addSeries(vanilla_);
    for (auto* series : chart()->series()) {
        series->attachAxis(tokens_);
        series->attachAxis(bytes_);
    }
    applyColours();
    flush();
    setAccessibleDescription(description());
}

void KvChartView::flush() {
    pending_.stop();
    flushed_.start();
    fitAxes();
    fillSeries();
    viewport()->update();
}

void KvChartView::setQuantity(Quantity quantity) {
    if (quantity == quantity_) return;
    quantity_ = quantity;
    flush();
}

const std::vector<std::int64_t>& KvChartView::parts(int token) const {
    const auto& kv = model_->token(token).kv;
    return quantity_ == Quantity::Used ? kv.used : kv.reserved;
}

double KvChartView::heldBytes(int token) const {
    const auto& bytes = parts(token);
    return static_cast<double>(std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0}));
}

double KvChartView::largestBytes() const {
    const int last = model_->tokenCount() - 1;
    return last < 0 ? 0 : std::max(heldBytes(last), static_cast<double>(model_->token(last).kv.vanilla));
}

void KvChartView::shareAxesWith(const KvChartView* other) {
    peer_ = other;
    connect(other->model_, &TraceModel::extended, this, &KvChartView::flush);
    connect(other->model_, &QAbstractItemModel::modelReset, this, &KvChartView::flush);
}

void KvChartView::fitAxes() {
    const int count = std::max(model_->tokenCount(), peer_ ? peer_->model_->tokenCount() : 0);
    const double largest = std::max(largestBytes(), peer_ ? peer_->largestBytes() : 0);
    const auto scale = byteUnit(std::max(largest, 1024.0));
    divisor_ = scale.divisor;
    unit_ = scale.name;
    // Both ends grow in steps, so that the picture stands still while tokens arrive.
    const double columns = std::max(kFewestTokens, niceBinaryStep(count, 1));
    setAxis(tokens_, columns, std::max(1.0, niceBinaryStep(columns, 6)));
    const double height = std::max(1.0, largest / divisor_);
    const double step = niceBinaryStep(height, 4);
    setAxis(bytes_, niceCeiling(height, step), step);
}

void KvChartView::fillSeries() {
    // Curves that only rise need no more than a point every four pixels.
    const int most = std::clamp(static_cast<int>(chart()->plotArea().width() / 4), 60, kMostPoints);
    const auto kept = decimate(model_->tokenCount(), most - 1);
    std::vector<QList<QPointF>> edges(stacks_.size(), {QPointF(0, 0)});
    QList<QPointF> reference{QPointF(0, 0)};
    for (const int token : kept) {
        const auto& bytes = parts(token);
        double sum = 0;
        for (std::size_t layer = 0; layer < edges.size(); ++layer) {
            if (layer < bytes.size()) sum += static_cast<double>(bytes[layer]);
            edges[layer].append({token + 1.0, sum / divisor_});
        }
        reference.append({token + 1.0, static_cast<double>(model_->token(token).kv.vanilla) / divisor_});
    }
    // Qt Charts strokes every point anew, and curves of running sums are nearly straight.
    const double tolerance = kTolerance * bytes_->max() / std::max(1.0, chart()->plotArea().height());
    for (std::size_t layer = 0; layer < edges.size(); ++layer) {
        const auto& [area, upper] = stacks_[layer];
        upper->replace(simplify(edges[layer], tolerance));
        // A band of nothing would still be a line.
        area->setVisible(edges[layer].last().y() > (layer == 0 ? 0 : edges[layer - 1].last().y()));
    }
    vanilla_->replace(simplify(reference, tolerance));
}

QList<QPointF> KvChartView::upperEdge(int layer) const {
    return stacks_.at(static_cast<std::size_t>(layer)).upper->points();
}

QList<QPointF> KvChartView::vanillaLine() const { return vanilla_->points(); }

QString KvChartView::savedText() const {
    if (model_->tokenCount() == 0) return {};
    const int last = model_->tokenCount() - 1;
    const auto vanilla = static_cast<double>(model_->token(last).kv.vanilla);
    return vanilla > 0 ? tr("%1 saved").arg(percentText(1 - heldBytes(last) / vanilla)) : QString();
}

QPointF KvChartView::pointFor(int token) const {
    const auto inChart = chart()->mapToPosition({token + 1.0, heldBytes(token) / divisor_}, vanilla_);
    return mapFromScene(chart()->mapToScene(inChart));
}

int KvChartView::tokenAt(const QPointF& point) const {
    const auto inChart = chart()->mapFromScene(mapToScene(point.toPoint()));
    if (!chart()->plotArea().contains(inChart)) return -1;
    // The value at x is what is held after so many tokens, so the nearest whole number names the token.
    const int token = static_cast<int>(std::lround(chart()->mapToValue(inChart, vanilla_).x())) - 1;
    return token < model_->tokenCount() ? std::max(token, std::min(0, model_->tokenCount() - 1)) : -1;
}

QString KvChartView::description() const {
    const auto figures = model_->figures();
    if (figures.tokens == 0) return tr("No token yet.");
    return tr("%1 held by %n token(s), measured; vanilla reference %2, computed; %3", nullptr, figures.tokens)
        .arg(bytesText(figures.kvUsed), bytesText(figures.kvVanilla), savedText());
}

QSize KvChartView::sizeHint() const { return QSizeF(theme_.px(480), theme_.px(220)).toSize(); }

QSize KvChartView::minimumSizeHint() const { return QSizeF(theme_.px(280), theme_.px(140)).toSize(); }

void KvChartView::keyPressEvent(QKeyEvent* event) {
    if (!steer(*selection_, *model_, *event)) QChartView::keyPressEvent(event);
}

void KvChartView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) selection_->togglePin(tokenAt(event->position()));
}

void KvChartView::mouseReleaseEvent(QMouseEvent* event) { event->accept(); }  // Qt Charts would zoom or scroll

bool KvChartView::viewportEvent(QEvent* event) {
    const auto token = [this](QPointF at) { return tokenAt(at); };
    return followPointer(*event, viewport(), *selection_, *model_, token) || QChartView::viewportEvent(event);
}

}  // namespace mor::ui
