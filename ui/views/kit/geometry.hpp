// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QPointF>
#include <QRectF>
#include <QString>
#include <cstdint>
#include <vector>

/// Where things are, as pure functions: no widget, no font, no state.
namespace mor::ui {

/// The heatmap's grid in its own coordinates: columns are tokens from the left, rows are recursions from the bottom.
struct CellGrid {
    double left = 0;
    double top = 0;
    double columnWidth = 24;
    double rowHeight = 34;
    int rows = 0;

    double height() const { return rows * rowHeight; }
    QRectF cell(int column, int recursion) const;  ///< `recursion` is zero-based and counted from the bottom
    QRectF column(int column) const;
    int columnAt(double x) const;  ///< negative left of the grid
    int rowAt(double y) const;     ///< recursion, or -1
};

/// What the flow layout needs to know of a token.
struct FlowItem {
    double width = 0;
    bool startsWord = false;  ///< a blank precedes it: the line may break before it
    bool endsLine = false;    ///< it contains a line break
};

struct FlowMetrics {
    double width = 0;  ///< of the page
    double wordGap = 8;
    double lineHeight = 44;
    double boxHeight = 28;
};

/// Lays out tokens in lines; words stay whole unless they are wider than the page. Items are only ever added, and
/// only the last word may still move, so adding costs the length of a word.
class FlowLayout {
public:
    void reset(const FlowMetrics&);
    void add(const FlowItem&);
    int count() const { return static_cast<int>(boxes_.size()); }
    const QRectF& box(int index) const { return boxes_[static_cast<std::size_t>(index)]; }
    double height() const;
    int at(const QPointF&) const;    ///< item under a point, or -1
    int firstBelow(double y) const;  ///< first item whose line ends below y
    const FlowMetrics& metrics() const { return metrics_; }

private:
    void breakLine();
    FlowMetrics metrics_;
    std::vector<QRectF> boxes_;
    std::size_t word_ = 0;  ///< first item of the word being laid out
    double x_ = 0;
    double y_ = 0;
    bool pendingBreak_ = false;
};

/// Axis steps.
double niceStep(double range, int mostSteps);        ///< 1, 2 or 5 times a power of ten
double niceBinaryStep(double range, int mostSteps);  ///< for KiB and tokens: 1, 2, 4, 8 ... (1.5 for 24, 48, 96)
double niceCeiling(double value, double step);       ///< smallest multiple of step >= value

/// Evenly spread indices, first and last included: at most `most` of `count`. Enough for curves that only rise.
std::vector<int> decimate(int count, int most);

/// The points of a curve, x ascending, without those that the lines between the others pass by no more than `tolerance`
/// in y. First and last stay.
QList<QPointF> simplify(const QList<QPointF>& curve, double tolerance);

/// A frame of numbers with units, in the user's locale.
struct ByteUnit {
    double divisor = 1;
    QString name;  ///< "bytes", "KiB", "MiB", "GiB"
};
ByteUnit byteUnit(double largest);
QString bytesText(std::int64_t bytes);      ///< "61.1 KiB"
QString countText(std::int64_t count);      ///< "4,096"
QString siText(double value);               ///< "6.1 M", "412"
QString percentText(double share);          ///< "34 %"
QString scoreText(double score);            ///< "0.648"; "–" for a number that was not computed
QString durationText(double milliseconds);  ///< "18 ms", "2.4 s"

}  // namespace mor::ui
