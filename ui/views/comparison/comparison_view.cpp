// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/comparison/comparison_view.hpp"

#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "views/kit/geometry.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/painting.hpp"
#include "views/kit/text_lines.hpp"

namespace mor::ui {
namespace {

constexpr double kLine = 20, kGap = 12, kNumber = 64, kRatio = 56, kColumnGap = 12, kLeastWidth = 300;
constexpr double kMatrixNames = 72;
constexpr double kLeastCell = 14, kMostCell = 44, kAxis = 18;  // of the matrix; kAxis: names of its rows and columns

QString real(double value, int decimals) {
    return std::isfinite(value) ? QLocale().toString(value, 'f', decimals) : QStringLiteral("–");
}

QString flopsText(double value) { return std::isfinite(value) ? siText(value) : QStringLiteral("–"); }

QString ratioText(double a, double b) {
    return a > 0 && std::isfinite(b) ? QStringLiteral("× ") + real(b / a, 2) : QStringLiteral("–");
}

}  // namespace

ComparisonView::ComparisonView(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Comparison"));
    setAttribute(Qt::WA_OpaquePaintEvent);
}

void ComparisonView::setComparison(std::optional<mor::RunComparison> comparison) {
    comparison_ = std::move(comparison);
    setAccessibleDescription(description());
    updateGeometry();
    update();
}

QList<ComparisonView::Row> ComparisonView::rows() const {
    if (!comparison_) return {};
    const auto &a = comparison_->a, &b = comparison_->b;
    const auto bytes = [](std::int64_t value) { return bytesText(value); };
    QList<Row> rows{
        {tr("mean depth"), real(a.mean_depth, 2), real(b.mean_depth, 2), ratioText(a.mean_depth, b.mean_depth)},
        {tr("nats / token"), real(a.nats_per_token, 3), real(b.nats_per_token, 3),
         ratioText(a.nats_per_token, b.nats_per_token)},
        {tr("FLOPs / token"), flopsText(a.flops_per_token), flopsText(b.flops_per_token),
         ratioText(a.flops_per_token, b.flops_per_token)},
        {tr("KV cache"), bytes(a.kv_used), bytes(b.kv_used),
         ratioText(static_cast<double>(a.kv_used), static_cast<double>(b.kv_used))},
    };
    if (hasMatrix()) rows.append({tr("correlation of depths"), {}, {}, real(comparison_->depth_correlation, 2)});
    return rows;
}

QString ComparisonView::caption() const {
    if (!comparison_) return {};
    return tr("%1 tokens, %2 predicted by both").arg(countText(comparison_->tokens), countText(comparison_->predicted));
}

QRectF ComparisonView::matrixIn(const QRectF& area) const {
    if (!hasMatrix()) return {};
    const double above = theme_.px((static_cast<double>(rows().size()) + 1) * kLine + kGap + kAxis);
    const auto columns = static_cast<double>(comparison_->depths[0].size());
    const auto lines = static_cast<double>(comparison_->depths.size());
    const double cell = std::floor(std::min({theme_.px(kMostCell), (area.height() - above - theme_.px(kAxis)) / lines,
                                             (area.width() - theme_.px(kMatrixNames)) / columns}));
    if (cell < theme_.px(kLeastCell)) return {};
    return {area.left() + theme_.px(kMatrixNames), area.top() + above, cell * columns, cell * lines};
}

QRectF ComparisonView::matrixCell(const QRectF& area, int a, int b) const {
    const QRectF matrix = matrixIn(area);
    if (matrix.isEmpty()) return {};
    const double width = matrix.width() / static_cast<double>(comparison_->depths[0].size());
    const double height = matrix.height() / static_cast<double>(comparison_->depths.size());
    return {matrix.left() + b * width, matrix.bottom() - (a + 1) * height, width, height};  // deep is up, as in the heatmap
}

void ComparisonView::setTheme(const Theme& theme) {
    theme_ = theme;
    updateGeometry();
    update();
}

void ComparisonView::drawInto(QPainter& painter, const QRectF& area) const {
    if (!comparison_) return drawEmptyState(painter, theme_, area, tr("Figures appear here when B has read the text."));
    painter.save();
    drawRows(painter, area);
    if (!matrixIn(area).isEmpty()) drawMatrix(painter, area);
    if (!hasMatrix()) {
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const QRectF note(area.left(), area.top() + theme_.px((static_cast<double>(rows().size()) + 1) * kLine + kGap),
                          area.width(), theme_.px(kLine));
        drawLine(painter, note, Qt::AlignLeft | Qt::AlignVCenter,
                 comparison_->depths.size() == 1 ? tr("A has no recursions: no depths to compare")
                                                 : tr("B has no recursions: no depths to compare"));
    }
    painter.restore();
}

/// As wide as its longest number, and a little more.
double ComparisonView::columnWidth(QString Row::*column, double least) const {
    double width = theme_.px(least);
    for (const Row& row : rows()) width = std::max(width, textWidth(theme_.body(), row.*column) + theme_.px(kColumnGap));
    return width;
}

void ComparisonView::drawRows(QPainter& painter, const QRectF& area) const {
    const double line = theme_.px(kLine);
    const double a = columnWidth(&Row::a, kNumber), b = columnWidth(&Row::b, kNumber);
    const double ratio = columnWidth(&Row::ratio, kRatio);
    double y = area.top();
    const auto write = [&](const Row& row, bool head) {
        painter.setFont(theme_.caption());
        painter.setPen(theme_.frame().caption);
        const double numbers = row.a.isEmpty() ? ratio : a + b + ratio;
        drawLine(painter, {area.left(), y, area.width() - numbers, line}, Qt::AlignLeft | Qt::AlignVCenter, row.name);
        painter.setFont(head ? theme_.title() : theme_.body());
        painter.setPen(theme_.frame().text);
        double x = area.right() - a - b - ratio;
        for (const auto& [text, width] : {std::pair(row.a, a), {row.b, b}, {row.ratio, ratio}}) {
            drawLine(painter, {x, y, width, line}, Qt::AlignRight | Qt::AlignVCenter, text);
            x += width;
        }
        y += line;
    };
    write({{}, tr("A"), tr("B"), tr("B / A")}, true);
    for (const Row& row : rows()) write(row, false);
}

void ComparisonView::drawMatrix(QPainter& painter, const QRectF& area) const {
    const auto& counts = comparison_->depths;
    std::int64_t most = 1;
    for (const auto& row : counts) most = std::max(most, *std::max_element(row.begin(), row.end()));
    const QRectF matrix = matrixIn(area);
    const double axis = theme_.px(kAxis);
    painter.setFont(theme_.caption());
    painter.setPen(theme_.frame().caption);
    drawLine(painter, {area.left(), matrix.top() - axis, area.width(), axis}, Qt::AlignLeft | Qt::AlignVCenter,
             tr("tokens by depth in A (up) and in B (right)"));
    for (int a = 0; a < static_cast<int>(counts.size()); ++a) {
        const QRectF first = matrixCell(area, a, 0);
        painter.setPen(theme_.frame().caption);
        drawLine(painter, {area.left(), first.top(), first.left() - area.left() - theme_.px(8), first.height()},
                 Qt::AlignRight | Qt::AlignVCenter, tr("A %1").arg(a));
        for (int b = 0; b < static_cast<int>(counts[0].size()); ++b) {
            const QRectF cell = matrixCell(area, a, b);
            const auto count = counts[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)];
            const QColor ground =
                blend(theme_.frame().track, theme_.frame().caption, static_cast<double>(count) / static_cast<double>(most));
            painter.fillRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), count > 0 ? ground : theme_.frame().blank);
            if (count == 0) continue;
            painter.setPen(textOn(ground));
            drawLine(painter, cell, Qt::AlignCenter, countText(static_cast<int>(count)));
        }
    }
    painter.setPen(theme_.frame().caption);
    for (int b = 0; b < static_cast<int>(counts[0].size()); ++b) {
        const QRectF below = matrixCell(area, 0, b);
        drawLine(painter, {below.left(), below.bottom(), below.width(), axis}, Qt::AlignCenter, tr("B %1").arg(b));
    }
}

QString ComparisonView::description() const {
    QStringList lines;
    for (const auto& row : rows())
        lines += row.a.isEmpty() ? tr("%1: %2").arg(row.name, row.ratio)
                                 : tr("%1: A %2, B %3, %4").arg(row.name, row.a, row.b, row.ratio);
    return lines.join(QLatin1String("; "));
}

QSize ComparisonView::sizeHint() const { return QSizeF(theme_.px(330), theme_.px(280)).toSize(); }

QSize ComparisonView::minimumSizeHint() const {
    double name = 0;
    for (const Row& row : rows())
        if (!row.a.isEmpty()) name = std::max(name, textWidth(theme_.caption(), row.name));
    const double numbers = columnWidth(&Row::a, kNumber) + columnWidth(&Row::b, kNumber) + columnWidth(&Row::ratio, kRatio);
    return QSizeF(std::max(theme_.px(kLeastWidth), std::ceil(name + numbers) + 1), theme_.px(6 * kLine)).toSize();
}

void ComparisonView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
}

}  // namespace mor::ui
