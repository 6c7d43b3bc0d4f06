// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QMap>
#include <QString>
#include <QWidget>
#include <vector>

#include "views/kit/theme.hpp"

class QPainter;
class QSplitter;

namespace mor::ui {

class ComputeView;
class DepthHeatmapView;
class DepthLegend;
class EstimateButtons;
class KvView;
class ModeSwitch;
class Panel;
class RoutingView;
class RuleOverlay;
class Selection;
class ThresholdEstimate;
class TokenDetailView;
class TokenFlowView;
class TraceModel;

/// All views of one run, linked by one selection: text and token above, the heatmap over the full width, and below
/// what it costs.
class TracePage : public QWidget {
    Q_OBJECT

public:
    TracePage(TraceModel*, Selection*, QWidget* parent = nullptr);

    const TraceModel& model() const { return *model_; }
    TokenFlowView* flow() const { return flow_; }
    TokenDetailView* detail() const { return detail_; }
    DepthHeatmapView* heatmap() const { return heatmap_; }
    KvView* kv() const { return kv_; }
    RoutingView* routing() const { return routing_; }
    ComputeView* compute() const { return compute_; }
    ThresholdEstimate* estimate() const { return estimate_; }
    RuleOverlay* overlay() const { return overlay_; }

    const Theme& theme() const { return theme_; }
    void setTheme(const Theme&);

    /// Positions of the splitters, by name.
    QMap<QString, QByteArray> layoutState() const;
    void restoreLayout(const QMap<QString, QByteArray>&);

    /// One box of the page, for pictures of the whole page or of one view.
    struct Piece {
        QString name;  ///< as on the command line: text, token, heatmap, kv, routing or compute
        Panel* panel;
        Picture* picture;
        QString title;
        QString caption;
    };
    const std::vector<Piece>& pieces() const { return pieces_; }
    static QStringList pieceNames();

    /// One view over the whole page, or all of them again (empty). What is chosen stays chosen.
    void setEnlarged(const QString& piece);
    const QString& enlarged() const { return enlarged_; }
    QString focusedPiece() const;  ///< the view that has the focus, else the heatmap

    /// Says anew what colours and numbers mean; for when the colouring was changed.
    void updateCaptions();

    /// Draws what the views have put off to their next tick, so that a picture taken now is complete.
    void finishDrawing();

    /// Draws the page, or the piece of that name over the whole area, without controls. The same code as on screen.
    void drawInto(QPainter&, const QRectF& area, const QString& piece = {}) const;

signals:
    void enlargeWanted(const QString& piece);  ///< or none: back to all
    void rerunWanted(double threshold);        ///< generate again with the estimated threshold

protected:
    void resizeEvent(QResizeEvent*) override;

private:
    void showFitting();
    EstimateButtons* estimateButtons();
    ModeSwitch* kvSwitch();
    ModeSwitch* computeSwitch();
    template <typename View>
    Panel* addPiece(const QString& name, View*, const QString& title, const QString& caption);
    void compose();
    void drawPiece(QPainter&, const Piece&, const QRectF& area) const;
    void setCaption(int piece, const QString& caption);

    TraceModel* model_;
    ThresholdEstimate* estimate_;
    RuleOverlay* overlay_;
    TokenFlowView* flow_;
    TokenDetailView* detail_;
    DepthHeatmapView* heatmap_;
    KvView* kv_;
    RoutingView* routing_;
    ComputeView* compute_;
    DepthLegend* legend_;
    std::vector<Piece> pieces_;
    QList<QSplitter*> splitters_;
    QString enlarged_;
    QMap<QString, QByteArray> layoutOfAll_;  ///< while not all views are shown
    Theme theme_;
};

}  // namespace mor::ui
