// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QImage>

#include "views/kit/heat_cell.hpp"

namespace mor::ui {

class TraceModel;

/// All cells as an image, one column a pixel, kLevels rows of pixels a recursion, for columns too narrow to be drawn one by
/// one. Columns of finished tokens are painted once and kept until clear().
class HeatmapImage {
public:
    static constexpr int kLevels = 12;

    void clear();  ///< the run, the colours or their meaning changed
    /// Columns [0, columns) are valid in image() after this; finished and partial ones.
    void update(const TraceModel&, const HeatColours&, const Colouring&, int columns);
    const QImage& image() const { return image_; }  ///< at least as wide as the columns; RGB32

private:
    void paintColumn(const TraceModel&, const HeatColours&, const Colouring&, int column);

    QImage image_;
    int kept_ = 0;  ///< columns that need no painting again
};

}  // namespace mor::ui
