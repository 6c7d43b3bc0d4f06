// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QMainWindow>
#include <filesystem>
#include <functional>

#include "feed/feed.hpp"
#include "gui/controls/actions.hpp"
#include "gui/controls/settings.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "models/trace_player.hpp"

class QMenu;

namespace mor::ui {

class ErrorBar;
class ComparisonWindow;
class HeaderBar;
class ModelChooser;
class PlayBar;
class PromptBox;
class RunControls;
class StatusLine;
class TracePage;

/// The window: controls, prompt, the page of views, status. Live runs and opened traces fill the same TraceModel.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    using Save = std::function<void(const Settings&)>;

    /// `save` receives the settings when the window closes; without it nothing is remembered.
    explicit MainWindow(const Settings&, Save save = {}, std::filesystem::path autosave = Feed::defaultAutosave());
    ~MainWindow() override;

    /// A model directory or a trace file.
    void open(const QString& path);
    void openModel(const QString& directory);
    void openTrace(const QString& file);
    /// What a process that died had recorded.
    void showRecovered(const QString& trace);
    /// The run that is bundled, so that there is something to see before any model is loaded.
    void showDemo();
    /// The last model, else the first bundled one.
    void openDefaultModel();

    /// A window of its own, in which the model in this directory (or one that suggests itself) reads the run's text.
    ComparisonWindow* compareWith(const QString& directory = {});

    Feed& feed() { return feed_; }
    const TraceModel& trace() const { return model_; }
    TracePlayer& player() { return player_; }
    Selection& selection() { return selection_; }
    const Actions& actions() const { return actions_; }
    TracePage* page() const { return page_; }
    PromptBox* promptBox() const { return prompt_; }
    RunControls* controls() const { return controls_; }
    ErrorBar* errorBar() const { return error_; }
    PlayBar* playBar() const { return playBar_; }
    StatusLine* statusLine() const { return status_; }
    HeaderBar* header() const { return header_; }

protected:
    void closeEvent(QCloseEvent*) override;
    void dragEnterEvent(QDragEnterEvent*) override;
    void dropEvent(QDropEvent*) override;

private:
    void compose();
    void connectFeed();
    void connectActions();
    QMenu* makeMenu();

    void generate(Pace);
    void step(Pace);
    void togglePause();
    void showPlaying();
    void goToMatch(int step);
    void compareRules();
    void showState(EngineState);
    void showModel(const mor::ModelInfo&, bool hasTokenizer);
    void offerPrompt(const mor::ModelInfo&, bool hasTokenizer);
    void showError(const QString&);
    void updateStatus();

    void chooseDevice(const QString& id);
    void askForTrace();
    void askForModel();
    void saveTrace();
    void savePicture();
    bool showTrace(const QString& file);
    void aboutRun();
    void remember(const QString& trace);
    void fillRecent();

    void applyLook();
    void setPresentation(bool);
    void enlarge(const QString& view);
    void showControls(bool);
    void goBack();
    Settings currentSettings() const;

    Settings settings_;
    Save save_;
    TraceModel model_;
    TracePlayer player_{&model_};
    Selection selection_;
    Feed feed_;
    Actions actions_;
    QPalette desktop_;  ///< before the first theme was applied

    HeaderBar* header_ = nullptr;
    ModelChooser* chooser_ = nullptr;
    RunControls* controls_ = nullptr;
    PromptBox* prompt_ = nullptr;
    ErrorBar* error_ = nullptr;
    TracePage* page_ = nullptr;
    PlayBar* playBar_ = nullptr;
    StatusLine* status_ = nullptr;
    QMenu* recent_ = nullptr;

    QStringList samples_;  ///< prompts nobody typed
    bool hasTokenizer_ = true;
    bool live_ = false;              ///< the page shows the feed's run, not an opened trace
    QString traceName_;              ///< of the opened trace; empty for a live run
    std::filesystem::path loading_;  ///< the model asked for last
    QString stoppedWhy_;             ///< the breakpoint at which time stands still; empty: none
    QString runPrompt_;              ///< what the run on the page was started with
    std::optional<mor::ModelInfo> info_;
    double scale_ = 1;
};

}  // namespace mor::ui
