// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/heatmap_image.hpp"

#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"

namespace mor::ui {

void HeatmapImage::clear() {
    image_ = {};
    kept_ = 0;
}

void HeatmapImage::update(const TraceModel& model, const HeatColours& colours, const Colouring& colouring, int columns) {
    const int height = std::max(1, model.recursions()) * kLevels;
    if (image_.height() != height) clear();
    if (image_.width() < columns) {  // doubling, so that a growing run is copied rarely
        QImage larger(std::max({columns, 2 * image_.width(), 256}), height, QImage::Format_RGB32);
        for (int y = 0; y < height && !image_.isNull(); ++y)
            std::copy_n(reinterpret_cast<const QRgb*>(image_.constScanLine(y)), kept_,
                        reinterpret_cast<QRgb*>(larger.scanLine(y)));
        image_ = larger;
    }
    kept_ = std::min(kept_, model.tokenCount());
    for (int column = kept_; column < columns; ++column) paintColumn(model, colours, colouring, column);
    kept_ = std::max(kept_, std::min(columns, model.tokenCount()));
}

void HeatmapImage::paintColumn(const TraceModel& model, const HeatColours& colours, const Colouring& colouring,
                               int column) {
    for (int r = 0; r < std::max(1, model.recursions()); ++r) {
        const auto cell = heatCell(model, colours, colouring, column, r);
        const QRgb ground = cell.ground.rgb(), colour = cell.colour.rgb();
        const int filled = static_cast<int>(std::lround(cell.fill * kLevels));
        const int bottom = image_.height() - 1 - r * kLevels;
        for (int level = 0; level < kLevels; ++level)
            reinterpret_cast<QRgb*>(image_.scanLine(bottom - level))[column] = level < filled ? colour : ground;
    }
}

}  // namespace mor::ui
