// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/cost/compute_view.hpp"

#include <QLocale>
#include <QPainter>
#include <algorithm>

#include "models/figures.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kWidestRow = 420;  // names and values further apart would not be read as one line
constexpr double kRoomyRow = 28, kTightRow = 16, kLeastChart = 44, kGap = 8;

template <class Format>
QString known(const std::optional<double>& value, Format format) {
    return value ? format(*value) : QStringLiteral("–");
}

ViewTraits traits() { return {ComputeView::tr("Compute"), {}, {300, 7 * kTightRow + 96}, {260, 7 * kTightRow}}; }

}  // namespace

ComputeView::ComputeView(TraceModel* model, Selection* selection, QWidget* parent)
    : WholeView(model, selection, traits(), parent) {
    setTheme({});
    ComputeView::restart();
}

void ComputeView::restart() {
    times_.reset(model_->recursions());
    seenPasses_ = 0;
    ComputeView::extend();
    WholeView::restart();
}

void ComputeView::extend() {
    const auto& passes = model_->trace().passes;
    for (; seenPasses_ < passes.size(); ++seenPasses_) times_.add(passes[seenPasses_]);
    figures_ = model_->figures();
    WholeView::extend();
}

void ComputeView::setQuantity(CostChart::Quantity quantity) {
    quantity_ = quantity;
    update();
}

QList<ComputeView::Row> ComputeView::rows() const {
    const auto& figures = figures_;
    const auto rate = [](double value) { return QLocale().toString(value, 'f', value < 100 ? 1 : 0); };
    const auto depth = [&](double value) {
        return tr("%1 of %2").arg(QLocale().toString(value, 'f', 2)).arg(figures.recursions);
    };
    QList<Row> rows{{tr("tokens/s"), known(figures.tokensPerSecond, rate), tr("measured")},
                    {tr("time to first token"), known(figures.firstTokenMs, durationText), tr("measured")}};
    if (times_.medianPass() > 0) rows.append({tr("median pass"), durationText(times_.medianPass()), tr("measured")});
    if (figures.recursions > 0) rows.append({tr("mean depth"), known(figures.meanDepth, depth), tr("measured")});
    rows.append({tr("FLOPs / token"), known(figures.flopsPerToken, siText), tr("counted")});
    rows.append({tr("vanilla reference"), known(figures.flopsPerTokenVanilla, siText), tr("computed")});
    rows.append({tr("saved"), known(figures.flopsSaved, percentText), tr("computed")});
    return rows;
}

CostChart ComputeView::chart() const { return {*model_, times_, *selection_, theme_, quantity_}; }

QRectF ComputeView::chartIn(const QRectF& area) const {
    const auto lines = static_cast<double>(rows().size());
    const double height = area.height() - lines * theme_.px(kTightRow) - theme_.px(kGap);
    if (height < theme_.px(kLeastChart)) return {};
    const double roomy = area.height() - lines * theme_.px(kRoomyRow) - theme_.px(kGap);
    const double chosen = std::max(std::min(height, theme_.px(4 * kLeastChart)), roomy);
    return {area.left(), area.bottom() - chosen, area.width(), chosen};
}

QRectF ComputeView::chartArea() const { return chartIn(rect()); }

void ComputeView::draw(QPainter& painter, const QRectF& area) const {
    const auto below = chartIn(area);
    drawRows(painter, below.isEmpty() ? area : area.adjusted(0, 0, 0, -below.height() - theme_.px(kGap)));
    if (!below.isEmpty()) chart().draw(painter, below);
}

void ComputeView::drawRows(QPainter& painter, const QRectF& area) const {
    const auto all = rows();
    const double height = std::min(theme_.px(kRoomyRow), area.height() / static_cast<double>(all.size()));
    const double origin = theme_.px(72), value = theme_.px(84);
    double y = area.top();
    for (const auto& row : all) {
        const QRectF line(area.left(), y, std::min(area.width(), theme_.px(kWidestRow)), height);
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
}

QString ComputeView::describe() const {
    QStringList lines;
    for (const auto& row : rows()) lines += tr("%1: %2 (%3)").arg(row.name, row.value, row.origin);
    return lines.join(QLatin1String("; "));
}

int ComputeView::tokenAt(const QPointF& at) const { return chart().tokenAt(chartArea(), at); }

}  // namespace mor::ui
