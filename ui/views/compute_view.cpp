// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/compute_view.hpp"

#include <QLocale>
#include <QPainter>
#include <algorithm>

#include "models/figures.hpp"
#include "models/trace_model.hpp"
#include "views/geometry.hpp"
#include "views/painting.hpp"

namespace mor::ui {
namespace {

template <class Format>
QString known(const std::optional<double>& value, Format format) {
    return value ? format(*value) : QStringLiteral("–");
}

}  // namespace

ComputeView::ComputeView(TraceModel* model, QWidget* parent) : QWidget(parent), model_(model) {
    setAccessibleName(tr("Compute"));
    const auto refresh = [this] {
        setAccessibleDescription(description());
        update();
    };
    connect(model, &QAbstractItemModel::modelReset, this, refresh);
    connect(model, &TraceModel::extended, this, qOverload<>(&QWidget::update));
}

QList<ComputeView::Row> ComputeView::rows() const {
    const auto figures = figuresOf(model_->trace());
    const auto rate = [](double value) { return QLocale().toString(value, 'f', value < 100 ? 1 : 0); };
    const auto depth = [&](double value) {
        return tr("%1 of %2").arg(QLocale().toString(value, 'f', 2)).arg(figures.recursions);
    };
    QList<Row> rows{{tr("tokens/s"), known(figures.tokensPerSecond, rate), tr("measured")},
                    {tr("time to first token"), known(figures.firstTokenMs, durationText), tr("measured")}};
    if (figures.recursions > 0) rows.append({tr("mean depth"), known(figures.meanDepth, depth), tr("measured")});
    rows.append({tr("FLOPs / token"), known(figures.flopsPerToken, siText), tr("counted")});
    rows.append({tr("vanilla reference"), known(figures.flopsPerTokenVanilla, siText), tr("computed")});
    rows.append({tr("saved"), known(figures.flopsSaved, percentText), tr("computed")});
    return rows;
}

void ComputeView::setTheme(const Theme& theme) {
    theme_ = theme;
    updateGeometry();
    update();
}

void ComputeView::drawInto(QPainter& painter, const QRectF& area) const {
    const auto all = rows();
    const double height = std::min(theme_.px(32), area.height() / static_cast<double>(all.size()));
    const double origin = theme_.px(72), value = theme_.px(84);
    painter.save();
    double y = area.top();
    for (const auto& row : all) {
        const QRectF line(area.left(), y, area.width(), height);
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        drawLine(painter, line.adjusted(0, 0, -origin - value, 0), Qt::AlignLeft | Qt::AlignVCenter, row.name);
        drawLine(painter, line.adjusted(line.width() - origin + theme_.px(8), 0, 0, 0), Qt::AlignRight | Qt::AlignVCenter,
                 row.origin);
        painter.setFont(theme_.body());
        painter.setPen(theme_.frame().text);
        drawLine(painter, QRectF(line.right() - origin - value, y, value, height), Qt::AlignRight | Qt::AlignVCenter,
                 row.value);
        y += height;
    }
    painter.restore();
}

QString ComputeView::description() const {
    QStringList lines;
    for (const auto& row : rows()) lines += tr("%1: %2 (%3)").arg(row.name, row.value, row.origin);
    return lines.join(QLatin1String("; "));
}

QSize ComputeView::sizeHint() const { return QSizeF(theme_.px(300), theme_.px(6 * 32)).toSize(); }

QSize ComputeView::minimumSizeHint() const { return QSizeF(theme_.px(260), theme_.px(6 * 20)).toSize(); }

void ComputeView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

}  // namespace mor::ui
