// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/heatmap_layout.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mor::ui {
namespace {

constexpr double kRowNames = 84;
constexpr double kFewestNames = 40, kMostNames = 96, kNamesStep = 8;
constexpr double kHighestRow = 160;
constexpr double kOnlyRow = 40;  // of a model without recursions: there is little to see in it
constexpr double kPositions = 24;
constexpr double kHistograms = 124;
constexpr double kGap = 12;
constexpr double kWrappedRow = 32, kBetweenLines = 12;
constexpr int kMostLines = 24;

/// How many columns, of what width, stand in a line of that length.
std::pair<int, double> columnsOfLine(double length, int columns, double columnWidth) {
    const auto fit = [&](double width) { return std::max(1, static_cast<int>((length + 0.5) / width)); };
    const int most = std::max(fit(columnWidth), (columns + kMostLines - 1) / kMostLines);
    return {most, std::min(columnWidth, length / most)};
}

double lineLength(const Theme& theme, double width, const HeatmapSides& sides) {
    return std::max(1.0, width - theme.px(kRowNames + (sides.histograms ? kGap + kHistograms : 0)));
}

}  // namespace

QRectF histogramOf(const HeatmapLayout& layout, int recursion) {
    if (layout.histograms.isEmpty()) return {};
    const auto row = layout.grid.cell(0, recursion);
    return {layout.histograms.left() + 4, row.top() + 2, layout.histograms.width() - 8, row.height() - 4};
}

HeatmapLayout layOutHeatmap(const Theme& theme, const QRectF& whole, int recursions, int columns, double columnWidth,
                            double scroll, const HeatmapSides& sides) {
    HeatmapLayout layout;
    // Narrow columns have numbers instead of names. The frame of a selected column needs room above.
    const double names = theme.px(columnWidth < theme.px(kNamedColumn) ? kPositions : sides.names);
    const QRectF area = whole.adjusted(0, theme.px(2), 0, 0);
    const int rows = std::max(1, recursions);
    const double highest = theme.px(recursions > 0 ? kHighestRow : kOnlyRow);
    const double rowHeight = std::floor(std::clamp((area.height() - names) / rows, theme.px(8), highest));
    const double height = rows * rowHeight;
    const double left = area.left() + theme.px(kRowNames);
    const double width = std::max(0.0, area.width() - theme.px(kRowNames + (sides.histograms ? kGap + kHistograms : 0)));
    layout.rowNames = {area.left(), area.top(), theme.px(kRowNames - 8), height};
    layout.cells = {left, area.top(), width, height};
    layout.tokenNames = {left, area.top() + height, width, std::max(0.0, area.height() - height)};
    if (sides.histograms) layout.histograms = {left + width + theme.px(kGap), area.top(), theme.px(kHistograms), height};
    layout.grid = {left - scroll, area.top(), columnWidth, rowHeight, rows};
    layout.first = std::clamp(layout.grid.columnAt(left), 0, columns);
    layout.end = std::clamp(layout.grid.columnAt(left + width) + 1, layout.first, columns);
    return layout;
}

double namesReach(const Theme& theme) { return theme.px(64); }

QRegion regionFrom(const HeatmapLayout& layout, const Theme& theme, const QRect& viewport, int column) {
    const double left = layout.grid.column(column).left(), reach = namesReach(theme);
    const double right = layout.cells.right() + 2, names = layout.tokenNames.top();
    const double gap = layout.histograms.isEmpty() ? viewport.width() : layout.histograms.left();
    QRegion region = QRectF(left - 2, 0, right - left + 2, names).toAlignedRect();
    // Numbers below the last columns reach into the gap beside them.
    region += QRectF(left - reach, names, gap - left + reach, layout.tokenNames.height()).toAlignedRect();
    if (!layout.histograms.isEmpty())
        region += QRectF(layout.histograms.left() - 4, 0, layout.histograms.width() + 8, layout.tokenNames.bottom())
                      .toAlignedRect();
    return region & viewport;
}

QRegion regionLeftBehind(const HeatmapLayout& layout, const Theme& theme, const QRect& viewport) {
    QRegion region = QRectF(layout.cells.left() - 8, 0, 10, layout.cells.bottom()).toAlignedRect();
    region +=
        QRectF(0, layout.tokenNames.top() - 1, layout.cells.left() + namesReach(theme), layout.tokenNames.height() + 1)
            .toAlignedRect();
    return region & viewport;
}

std::vector<HeatmapLayout> wrapHeatmap(const Theme& theme, const QRectF& area, int recursions, int columns,
                                       double columnWidth, const HeatmapSides& sides) {
    const auto [perLine, width] = columnsOfLine(lineLength(theme, area.width(), sides), columns, columnWidth);
    const int lines = std::max(1, (columns + perLine - 1) / perLine);
    const double gap = theme.px(kBetweenLines), height = (area.height() - (lines - 1) * gap) / lines;
    std::vector<HeatmapLayout> layouts;
    for (int line = 0; line < lines; ++line) {
        const QRectF inside(area.left(), area.top() + line * (height + gap), area.width(), height);
        auto layout = layOutHeatmap(theme, inside, recursions, columns, width, line * perLine * width, sides);
        layout.first = line * perLine;
        layout.end = std::min(columns, layout.first + perLine);
        if (line > 0) layout.histograms = {};
        layouts.push_back(layout);
    }
    return layouts;
}

double wrappedHeight(const Theme& theme, double width, int recursions, int columns, double columnWidth,
                     const HeatmapSides& sides) {
    const auto [perLine, drawn] = columnsOfLine(lineLength(theme, width, sides), columns, columnWidth);
    const int lines = std::max(1, (columns + perLine - 1) / perLine);
    const double names = theme.px(drawn < theme.px(kNamedColumn) ? kPositions : sides.names);
    const double line = theme.px(2 + kWrappedRow * std::max(1, recursions)) + names;
    // The scale of the histograms, and of the colours, stands below the rows of the first line.
    return lines * line + (lines - 1) * theme.px(kBetweenLines);
}

double tiltedHeight(const Theme& theme, double width) {
    const double angle = kNamesTilt * M_PI / 180;
    const double height = width / theme.scale * std::sin(angle) + 16 * std::cos(angle) + 8;
    return std::clamp(std::ceil(height / kNamesStep) * kNamesStep, kFewestNames, kMostNames);
}

}  // namespace mor::ui
