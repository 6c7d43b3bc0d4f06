// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QPointF>
#include <QString>
#include <QtCharts/QChart>
#include <vector>

#include "models/trace_model.hpp"
#include "views/kit/theme.hpp"

class QAreaSeries;
class QLineSeries;
class QValueAxis;

namespace mor::ui {

/// Used: the entries stored. Reserved: the blocks that hold them, whole.
enum class KvQuantity { Used, Reserved };

/// The bytes of a run's KV cache as the series and axes of a chart: a band for the layers outside the recursions and one
/// for each recursion, and the line of the vanilla reference.
class KvCurves {
public:
    static constexpr int kMostPoints = 250;

    KvCurves(const TraceModel&, QChart*);  ///< which live as long

    void setTheme(const Theme&);
    void setQuantity(KvQuantity quantity) { quantity_ = quantity; }
    KvQuantity quantity() const { return quantity_; }
    void rebuild();                    ///< another run
    void fill(const KvCurves* other);  ///< takes all tokens; axes as long as those that the other's need (null: none)

    int bands() const { return static_cast<int>(stacks_.size()); }  ///< 1 (outside the recursions) + R
    /// (tokens held, cumulated size in unit()) as drawn: no point is further than half a pixel from the lines between
    /// these.
    QList<QPointF> upperEdge(int band) const;
    QList<QPointF> vanillaLine() const;
    bool isShown(int band) const;           ///< it holds something
    QString unit() const { return unit_; }  ///< "KiB"
    double unitDivisor() const { return divisor_; }
    double heldBytes(int token) const;  ///< of the quantity, all bands

    QPointF position(double tokens, double size) const;  ///< in the chart's scene; size in unit()
    double tokensAt(const QPointF& inChart) const;
    double longestToken() const;  ///< ends of the axes
    double largestSize() const;

private:
    struct Stack {
        QAreaSeries* area;
        QLineSeries* upper;
    };
    void makeAxes();
    void fitAxes(const KvCurves* other);
    const std::vector<std::int64_t>& parts(int token) const;  ///< of the quantity, in the order of KvUse
    double largestBytes() const;                              ///< of all that is drawn

    const TraceModel& model_;
    QChart* chart_;
    Theme theme_;
    std::vector<Stack> stacks_;
    QLineSeries* vanilla_ = nullptr;
    QValueAxis* tokens_ = nullptr;
    QValueAxis* bytes_ = nullptr;
    KvQuantity quantity_ = KvQuantity::Used;
    QString unit_;
    double divisor_ = 1024;
};

}  // namespace mor::ui
