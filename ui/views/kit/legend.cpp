// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/legend.hpp"

#include <QPainter>

#include "models/trace_model.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kSwatch = 14;
constexpr double kEntry = 40;
constexpr int kMostEntries = 9;  // beyond that the numbers under the tokens have to do

}  // namespace

DepthLegend::DepthLegend(const TraceModel* model, QWidget* parent) : QWidget(parent), model_(model) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(tr("Depth colours"));
    connect(model, &QAbstractItemModel::modelReset, this, [this] {
        setAccessibleDescription(description());
        updateGeometry();
        update();
    });
}

QList<DepthLegend::Entry> DepthLegend::entries() const {
    QList<Entry> entries;
    const int recursions = model_->recursions();
    if (recursions == 0) return entries;
    // Only expert choice can send a token past every recursion.
    const int first = model_->isRouted() && model_->header().config.mor.routing == mor::Routing::ExpertChoice ? 0 : 1;
    const int stride = (recursions + kMostEntries - 1) / kMostEntries;
    for (int depth = first; depth <= recursions; depth += depth == 0 ? 1 : stride)
        entries.append({depth, theme_.depth(depth, recursions)});
    return entries;
}

void DepthLegend::setTheme(const Theme& theme) {
    theme_ = theme;
    updateGeometry();
    update();
}

QSize DepthLegend::sizeHint() const {
    return QSizeF(theme_.px(kEntry) * static_cast<double>(entries().size()), theme_.px(20)).toSize();
}

void DepthLegend::drawInto(QPainter& painter, const QRectF& area) const {
    painter.save();
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    double x = area.left();
    const double side = theme_.px(kSwatch);
    for (const auto& entry : entries()) {
        drawSwatch(painter, theme_, {x, area.center().y() - side / 2, side, side}, entry.depth, model_->recursions());
        drawLine(painter, {x + side + theme_.px(6), area.top(), theme_.px(20), area.height()},
                 Qt::AlignLeft | Qt::AlignVCenter, QString::number(entry.depth));
        x += theme_.px(kEntry);
    }
    painter.restore();
}

QString DepthLegend::description() const {
    return entries().isEmpty()
               ? tr("This model has no recursions.")
               : tr("Colours of the depths %1 to %2.").arg(entries().first().depth).arg(model_->recursions());
}

void DepthLegend::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

}  // namespace mor::ui
