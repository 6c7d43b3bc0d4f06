// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_chart_view.hpp"

#include <QGraphicsLayout>
#include <QLocale>
#include <QPainter>
#include <QtCharts/QLegend>
#include <algorithm>
#include <cmath>

#include "models/figures.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/later.hpp"
#include "views/kit/painting.hpp"
#include "views/kv/kv_labels.hpp"

namespace mor::ui {
namespace {

ViewTraits traits() {
    return {KvChartView::tr("KV cache"),
            KvChartView::tr("Type a prompt and press Generate: the KV cache grows here, token by token."),
            {480, 220},
            {280, 140}};
}

}  // namespace

KvChartView::KvChartView(TraceModel* model, Selection* selection, QWidget* parent)
    : TokenView(model, selection, traits(), parent), curves_(*model, chart()) {
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    chart()->legend()->hide();
    chart()->setAnimationOptions(QChart::NoAnimation);
    chart()->setBackgroundRoundness(0);
    chart()->setMargins({});
    chart()->setLocalizeNumbers(true);
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    pending_.setSingleShot(true);
    connect(&pending_, &QTimer::timeout, this, &KvChartView::flush);
    connect(chart(), &QChart::geometryChanged, this, &KvChartView::extend);  // other labels fit
    setTheme({});
    KvChartView::restart();
}

void KvChartView::restart() {
    curves_.rebuild();
    flush();
}

void KvChartView::extend() {
    const bool goesOn = flushed_.isValid() && flushed_.elapsed() < 2 * kDrawLater;
    if (!pending_.isActive()) pending_.start(goesOn ? kDrawLater : kDrawBetween);
}

void KvChartView::flush() {
    pending_.stop();
    flushed_.start();
    curves_.fill(peer_ ? &peer_->curves_ : nullptr);
    viewport()->update();
}

void KvChartView::selectionChanged(bool acted) {
    if (acted) viewport()->update();  // the newest token alone is no mark here
}

void KvChartView::setQuantity(KvQuantity quantity) {
    if (quantity == curves_.quantity()) return;
    curves_.setQuantity(quantity);
    flush();
}

void KvChartView::shareAxesWith(const KvChartView* other) {
    peer_ = other;
    connect(other->model_, &TraceModel::extended, this, &KvChartView::flush);
    connect(other->model_, &QAbstractItemModel::modelReset, this, &KvChartView::flush);
}

QString KvChartView::savedText() const {
    if (model_->tokenCount() == 0) return {};
    const int last = model_->tokenCount() - 1;
    const auto vanilla = static_cast<double>(model_->token(last).kv.vanilla);
    return vanilla > 0 ? tr("%1 saved").arg(percentText(1 - curves_.heldBytes(last) / vanilla)) : QString();
}

QString KvChartView::valueText() const {
    const int token = selection_->current();
    if (token < 0 || token >= model_->tokenCount() || !selection_->marks().any()) return {};
    const auto size = [this](double bytes) { return QLocale().toString(bytes / curves_.unitDivisor(), 'f', 1); };
    return tr("token %1: %2 of %3 %4")
        .arg(token)
        .arg(size(curves_.heldBytes(token)), size(static_cast<double>(model_->token(token).kv.vanilla)), curves_.unit());
}

void KvChartView::drawForeground(QPainter* painter, const QRectF&) {
    painter->save();
    if (const auto empty = emptyText(); !empty.isEmpty()) {
        painter->fillRect(sceneRect(), theme_.frame().panel);
        drawEmptyState(*painter, theme_, sceneRect(), empty);
    } else {
        const auto plot = chart()->mapRectToScene(chart()->plotArea());
        KvLabels(*model_, curves_, theme_, plot, savedText(), valueText()).draw(*painter, *selection_);
    }
    painter->restore();
}

void KvChartView::draw(QPainter& painter, const QRectF& area) const {
    // A chart is as large as its widget, so another size needs another chart.
    KvChartView copy(model_, selection_);
    copy.setTheme(theme_);
    copy.curves_.setQuantity(curves_.quantity());
    copy.resize(area.size().toSize());
    copy.chart()->resize(area.size());
    copy.scene()->setSceneRect(QRectF(QPointF(), area.size()));
    copy.peer_ = peer_;
    copy.flush();  // axes for this size, which the chart is laid out around
    copy.chart()->layout()->invalidate();
    copy.chart()->layout()->activate();
    copy.render(&painter, area, copy.rect());
}

QPointF KvChartView::pointFor(int token) const {
    return mapFromScene(curves_.position(token + 1.0, curves_.heldBytes(token) / curves_.unitDivisor()));
}

int KvChartView::tokenAt(const QPointF& point) const {
    const auto inChart = chart()->mapFromScene(mapToScene(point.toPoint()));
    if (!chart()->plotArea().contains(inChart)) return -1;
    // The value at x is what is held after so many tokens, so the nearest whole number names the token.
    const int token = static_cast<int>(std::lround(curves_.tokensAt(inChart))) - 1;
    return token < model_->tokenCount() ? std::max(token, std::min(0, model_->tokenCount() - 1)) : -1;
}

QString KvChartView::describe() const {
    const auto figures = model_->figures();
    return tr("%1 held by %n token(s), measured; vanilla reference %2, computed; %3", nullptr, figures.tokens)
        .arg(bytesText(figures.kvUsed), bytesText(figures.kvVanilla), savedText());
}

void KvChartView::mouseReleaseEvent(QMouseEvent* event) { event->accept(); }  // Qt Charts would zoom or scroll

}  // namespace mor::ui
