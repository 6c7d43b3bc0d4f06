// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QMap>
#include <QString>
#include <QWidget>
#include <vector>

#include "gui/page/page_views.hpp"

class QAction;
class QPainter;
class QSplitter;

namespace mor::ui {

class ComputeView;
class DepthHeatmapView;
class KvView;
class Panel;
class RoutingView;
class TokenDetailView;
class TokenFlowView;

/// All views of one run (page_views.hpp), linked by one selection: text and token above, the heatmap over the full width,
/// and below what it costs.
class TracePage : public QWidget {
    Q_OBJECT

public:
    TracePage(TraceModel*, Selection*, QWidget* parent = nullptr);

    const TraceModel& model() const { return *sources_.model; }
    ThresholdEstimate* estimate() const { return sources_.estimate; }
    RuleOverlay* overlay() const { return sources_.overlay; }
    TokenFlowView* flow() const;
    TokenDetailView* detail() const;
    DepthHeatmapView* heatmap() const;
    KvView* kv() const;
    RoutingView* routing() const;
    ComputeView* compute() const;

    /// One box of the page.
    struct View {
        const ViewDescription* about;
        MadeView made;
        Panel* panel;
        QString title;
        QString caption;
        const QString& name() const { return about->name; }
    };
    const std::vector<View>& views() const { return views_; }
    const View* view(const QString& name) const;                         ///< null: there is none of that name
    const QList<QAction*>& viewActions() const { return viewActions_; }  ///< each view alone, and back

    const Theme& theme() const { return theme_; }
    void setTheme(const Theme&);

    /// Positions of the splitters, by name.
    QMap<QString, QByteArray> layoutState() const;
    void restoreLayout(const QMap<QString, QByteArray>&);

    /// One view over the whole page, or all of them again (empty). What is chosen stays chosen.
    void setEnlarged(const QString& view);
    const QString& enlarged() const { return enlarged_; }
    QString focusedView() const;  ///< the name of the view that has the focus, else of the heatmap

    /// Says anew what colours and numbers mean; for when the colouring was changed.
    void updateCaptions();

    /// Draws what the views have put off to their next tick, so that a picture taken now is complete.
    void finishDrawing();

    /// Draws a view in its box, without controls. The same code as on screen.
    void drawView(QPainter&, const View&, const QRectF& area) const;

signals:
    void enlargeWanted(const QString& view);  ///< or none: back to all
    void rerunWanted(double threshold);       ///< generate again with the estimated threshold

protected:
    void resizeEvent(QResizeEvent*) override;

private:
    void addView(const ViewDescription&);
    void compose();
    void showFitting();

    ViewSources sources_;
    std::vector<View> views_;
    QList<QAction*> viewActions_;
    QList<QSplitter*> rows_;
    QSplitter* all_ = nullptr;
    QString enlarged_;
    QMap<QString, QByteArray> layoutOfAll_;  ///< in usual type, while something else is shown
    Theme theme_;
};

}  // namespace mor::ui
