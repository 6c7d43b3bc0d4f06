// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractScrollArea>
#include <QBuffer>
#include <QImage>
#include <QPainter>
#include <QSvgGenerator>
#include <QTest>
#include <QXmlStreamReader>
#include <cmath>
#include <functional>
#include <vector>

#include "models/rule_overlay.hpp"
#include "models/selection.hpp"
#include "models/threshold_estimate.hpp"
#include "models/trace_model.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/cost/compute_view.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/legend.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_slot_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/routing_view.hpp"
#include "views/text/token_detail_view.hpp"
#include "views/text/token_flow_view.hpp"

namespace mor::test {

using namespace mor::ui;

/// The texts of an SVG file in the order in which they were drawn.
inline QStringList textsOfSvg(const QByteArray& svg) {
    QStringList texts;
    QXmlStreamReader reader(svg);
    while (!reader.atEnd())
        if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String("text"))
            texts += reader.readElementText();
    return texts;
}

/// One run and the views of it in one window, at the sizes they have in a window of 1280 x 800.
struct Stage {
    TraceModel model;
    Selection selection{&model};
    QWidget window;
    TokenFlowView flow{&model, &selection, &window};
    ThresholdEstimate estimate{&model};
    RuleOverlay overlay{&model};
    DepthHeatmapView heatmap{&model, &selection, &estimate, &window};
    RoutingView routing{&model, &selection, &estimate, &window};
    KvView kvView{&model, &selection, &window};
    KvChartView& kv = *kvView.chart();
    TokenDetailView detail{&model, &selection, &window};
    ComputeView compute{&model, &selection, &window};
    DepthLegend legend{&model, &window};

    explicit Stage(const SyntheticOptions& options = {}) : Stage(syntheticTrace(options)) {}
    explicit Stage(mor::Trace trace) {
        flow.setGeometry(0, 0, 800, 190);
        detail.setGeometry(810, 0, 420, 190);
        heatmap.setGeometry(0, 200, 1230, 190);
        kvView.setGeometry(0, 400, 480, 200);
        routing.setGeometry(490, 400, 440, 200);
        compute.setGeometry(940, 400, 280, 200);
        legend.setGeometry(0, 610, 160, 20);
        window.resize(1240, 640);
        window.show();
        heatmap.setOverlay(&overlay);
        model.load(std::move(trace));
        QCoreApplication::processEvents();
    }
    std::vector<Picture*> pictures() { return {&flow, &heatmap, &routing, &kvView, &detail, &compute, &legend}; }
    std::vector<QWidget*> widgets() { return {&flow, &heatmap, &routing, &kvView, &detail, &compute, &legend}; }
};

/// Everything written in a picture of that size, line by line as it was drawn: as an SVG holds it.
inline QStringList writtenIn(const std::function<void(QPainter&, const QRectF&)>& draw, const QSizeF& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size.toSize());
    QPainter painter(&generator);
    draw(painter, QRectF(QPointF(), size));
    painter.end();
    return textsOfSvg(bytes);
}

inline QStringList writtenIn(const Picture& picture, const QSizeF& size) {
    return writtenIn([&](QPainter& painter, const QRectF& area) { picture.drawInto(painter, area); }, size);
}

inline QImage grabbed(QWidget& widget) { return widget.grab().toImage().convertToFormat(QImage::Format_RGB32); }

inline void moveMouse(QAbstractScrollArea& view, const QPointF& at) { QTest::mouseMove(view.viewport(), at.toPoint()); }

/// A hand that moves in steps of 3 pixels, as a mouse does, and no view may move under it: what is pointed at is the token
/// that was there before, and a click pins it.
inline void glide(QAbstractScrollArea& view, QPointF from, QPointF to) {
    const auto way = to - from;
    const int steps = std::max(1, static_cast<int>(std::hypot(way.x(), way.y()) / 3));
    for (int i = 0; i <= steps; ++i) moveMouse(view, from + way * i / steps);
}

inline void click(QAbstractScrollArea& view, const QPointF& at) {
    QTest::mouseClick(view.viewport(), Qt::LeftButton, Qt::NoModifier, at.toPoint());
}

}  // namespace mor::test
