// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTimer>
#include <QWidget>
#include <filesystem>
#include <optional>
#include <vector>

#include "feed/feed.hpp"
#include "gui/controls/settings.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "mor/trace.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

class ComparisonView;
class DepthHeatmapView;
class ErrorBar;
class KvView;
class ModelChooser;
class Panel;
class RunControls;
class TokenFlowView;

/// Two runs over the same text, side by side, with one selection and the same axes. A is a run that is finished; B is
/// another model, or the same with other settings, that reads what A wrote, on an engine of its own.
class ComparisonWindow : public QWidget {
    Q_OBJECT

public:
    struct Start {
        mor::Trace a;
        mor::DeviceSettings device;
        RunSettings run;  ///< how A was asked to route
        Theme theme;
    };
    explicit ComparisonWindow(Start, QWidget* parent = nullptr);
    ~ComparisonWindow() override;

    /// Loads what B shall be and lets it read.
    void openB(const QString& directory);
    /// Takes a recorded run for B; as much as both have in common is compared.
    void openTraceOfB(const QString& file);
    /// Of the bundled models with A's vocabulary the first one that is not A; empty when there is none.
    QString suggestion() const;

    void setTheme(const Theme&);
    bool isDone() const { return done_; }  ///< B has read the text
    Feed& feed() { return feed_; }
    const TraceModel& modelA() const { return a_.model; }
    const TraceModel& modelB() const { return b_.model; }
    Selection& selectionA() { return a_.selection; }
    Selection& selectionB() { return b_.selection; }
    DepthHeatmapView* heatmapA() const { return a_.heatmap; }
    DepthHeatmapView* heatmapB() const { return b_.heatmap; }
    KvView* kvA() const { return a_.kv; }
    KvView* kvB() const { return b_.kv; }
    ComparisonView* figures() const { return figures_; }
    RunControls* controls() const { return controls_; }
    ErrorBar* errorBar() const { return error_; }

signals:
    void finished();                       ///< the comparison is complete
    void failed(const QString& sentence);  ///< and said in the window

private:
    /// One of the two runs and what draws it.
    struct Side {
        TraceModel model;
        Selection selection{&model};
        TokenFlowView* flow = nullptr;
        DepthHeatmapView* heatmap = nullptr;
        KvView* kv = nullptr;
        Panel* text = nullptr;
        Panel* depths = nullptr;
        Panel* memory = nullptr;
    };

    void makeSide(Side&, const QString& letter);
    QWidget* makeHeader();
    void compose();
    void link();
    void connectFeed();
    void showModel(const mor::ModelInfo&);
    void askForTrace();
    void read();
    void finish();
    void showBeginning();
    void fail(const QString&);
    void updateCaptions();
    void savePicture();

    Start start_;
    Side a_, b_;
    Feed feed_;
    std::vector<mor::ModelCard> models_;  ///< with A's vocabulary
    std::optional<mor::ModelInfo> info_;  ///< of B
    QString traceOfB_;                    ///< the recorded run that is B instead; empty: none
    std::filesystem::path loading_;
    QTimer settled_;  ///< settings of B that still change
    bool reads_ = false;
    bool done_ = false;
    bool linking_ = false;
    bool shown_ = false;  ///< a comparison has been shown already

    ModelChooser* chooser_ = nullptr;
    RunControls* controls_ = nullptr;
    ErrorBar* error_ = nullptr;
    ComparisonView* figures_ = nullptr;
    Panel* figuresPanel_ = nullptr;
};

}  // namespace mor::ui
