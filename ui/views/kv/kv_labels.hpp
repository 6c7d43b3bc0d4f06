// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>
#include <QString>
#include <QStringList>
#include <vector>

#include "views/kit/theme.hpp"

class QPainter;

namespace mor::ui {

class KvCurves;
class Selection;
class TraceModel;

/// What is written and marked on top of the curves of the KV cache: which recursion each band is, the legend with the token
/// looked at, and the lines of the selection, which leave the legend alone.
class KvLabels {
public:
    /// `plot` is the area between the axes in the painter's coordinates; `value` says what the token looked at holds, if
    /// any.
    KvLabels(const TraceModel&, const KvCurves&, const Theme&, const QRectF& plot, const QString& saved,
             const QString& value);

    void draw(QPainter&, const Selection&) const;
    QRectF legend() const;  ///< what its lines cover

private:
    enum class Sample { None, Line, Square };
    struct Row {
        Sample sample;
        QString text;
        QFont font;
        QColor ink;
        QRectF area;
    };
    void addRow(Sample, const QStringList& texts, const QFont&, const QColor&);
    double freeWidth(double y) const;  ///< left of the vanilla line, the highest curve
    void drawMarker(QPainter&, int token, bool dashed) const;
    void drawNumbers(QPainter&) const;
    void drawRow(QPainter&, const Row&) const;

    const TraceModel& model_;
    const KvCurves& curves_;
    const Theme& theme_;
    QRectF plot_;
    std::vector<Row> rows_;
};

}  // namespace mor::ui
