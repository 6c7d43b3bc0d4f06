// SPDX-License-Identifier: GPL-3.0-or-later
// The window's parts and how they hang together. Files are in main_window_files.cpp, looks in
// main_window_look.cpp, steps and replay in main_window_time.cpp.
#include "gui/window/main_window.hpp"

#include <QCloseEvent>
#include <QToolButton>
#include <QVBoxLayout>

#include "bundled_models.hpp"
#include "gui/controls/device_chooser.hpp"
#include "gui/controls/error_bar.hpp"
#include "gui/controls/header_bar.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/sample_prompt.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/page/trace_page.hpp"
#include "models/rule_overlay.hpp"
#include "views/text/token_flow_view.hpp"
#include "views/time/conditions_editor.hpp"
#include "views/time/play_bar.hpp"

namespace mor::ui {

namespace {

constexpr QSize kFirstSize(1440, 900);
constexpr int kMargin = 14, kGap = 8;

}  // namespace

MainWindow::MainWindow(const Settings& settings, Save save, std::filesystem::path autosave)
    : settings_(settings),
      save_(std::move(save)),
      selection_(&model_),
      feed_(std::move(autosave)),
      actions_(this),
      desktop_(palette()) {
    setWindowTitle(QStringLiteral("Morscope"));
    setAcceptDrops(true);
    compose();
    connectFeed();
    connectActions();
    controls_->setSettings(settings_.run);
    prompt_->setText(settings_.prompt);
    page_->restoreLayout(settings_.splitters);
    resize(kFirstSize);
    if (!settings_.geometry.isEmpty()) restoreGeometry(settings_.geometry);
    applyLook();
    showState(EngineState::NoModel);
    prompt_->edit()->setFocus();
}

MainWindow::~MainWindow() {
    delete takeCentralWidget();  // the views look at the models, which are members and would go first
}

void MainWindow::compose() {
    const auto models = mor::list_models(bundled_models_root());
    chooser_ = new ModelChooser(models, actions_.openModel);
    samples_ = {kSamplePrompt, kSampleIds};
    for (const auto& model : models)
        if (!model.prompt.empty()) samples_.append(QString::fromStdString(model.prompt));
    controls_ = new RunControls;
    header_ = new HeaderBar(actions_, chooser_, controls_, makeMenu());
    header_->device()->setChoice(settings_.device);
    prompt_ = new PromptBox;
    error_ = new ErrorBar;
    page_ = new TracePage(&model_, &selection_);
    playBar_ = new PlayBar(&player_);
    status_ = new StatusLine;
    addActions(page_->viewActions());
    page_->addAction(actions_.pause);  // Space pauses wherever it does not type a blank

    auto* middle = new QVBoxLayout;
    middle->setContentsMargins(kMargin, kGap, kMargin, kGap);
    middle->setSpacing(kGap);
    middle->addWidget(prompt_);
    middle->addWidget(error_);
    middle->addWidget(page_, 1);
    middle->addWidget(playBar_);
    auto* central = new QWidget;
    auto* column = new QVBoxLayout(central);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(header_);
    column->addLayout(middle, 1);
    column->addWidget(status_);
    setCentralWidget(central);
}

void MainWindow::connectFeed() {
    connect(&feed_, &Feed::modelLoaded, this, &MainWindow::showModel);
    connect(&feed_, &Feed::loadFailed, this, [this](const QString& sentence) {
        info_ ? chooser_->showModel(*info_) : chooser_->showNone();
        if (!sentence.isEmpty()) showError(tr("%1; correct it or choose another model").arg(sentence));
    });
    connect(&feed_, &Feed::loadAdvanced, this, [this](double share) {
        header_->setProgress(share);
        chooser_->showLoading(loading_, share);
    });
    connect(&feed_, &Feed::started, this, [this](const mor::TraceHeader& header) {
        live_ = true;
        traceName_.clear();
        player_.begin(header);
    });
    connect(&feed_, &Feed::batch, this, [this](const auto& tokens, const auto& passes) {
        if (!live_) return;  // the last records of a run that an opened trace has replaced
        player_.append(tokens, passes);
        updateStatus();
    });
    connect(&feed_, &Feed::warned, this, &MainWindow::showError);
    connect(&feed_, &Feed::failed, this, &MainWindow::showError);
    connect(&feed_, &Feed::stateChanged, this, &MainWindow::showState);
    connect(&feed_, &Feed::compared, this, [this](const mor::RuleComparison& result) {
        if (!page_->overlay()->set(result)) actions_.compareRules->setChecked(false);
    });
    connect(&feed_, &Feed::comparisonEnded, this, [this](const QString& sentence) {
        actions_.compareRules->setChecked(false);
        if (!sentence.isEmpty()) showError(sentence);
    });
    connect(page_->overlay(), &RuleOverlay::changed, this,
            [this] { actions_.compareRules->setChecked(page_->overlay()->isActive()); });
}

void MainWindow::connectActions() {
    const auto on = [this](QAction* action, auto call) { connect(action, &QAction::triggered, this, call); };
    on(actions_.generate, [this] { generate(Pace::Run); });
    on(actions_.pause, [this] { togglePause(); });
    on(actions_.previousToken, [this] { player_.stepTokens(-1); });
    on(actions_.previousRecursion, [this] { player_.stepPasses(-1); });
    on(actions_.toBegin, [this] { player_.seek(0); });
    on(actions_.toEnd, [this] { player_.seek(player_.end()); });
    on(actions_.nextMatch, [this] { goToMatch(1); });
    on(actions_.previousMatch, [this] { goToMatch(-1); });
    connect(playBar_, &PlayBar::playToggled, this, &MainWindow::togglePause);
    connect(playBar_, &PlayBar::matchWanted, this, &MainWindow::goToMatch);
    connect(&player_, &TracePlayer::moved, this, &MainWindow::showPlaying);
    connect(&player_, &TracePlayer::playingChanged, this, &MainWindow::showPlaying);
    connect(&player_, &TracePlayer::stopped, this, [this](int token, const QString& why) {
        if (feed_.state() == EngineState::Running) feed_.pause();
        stoppedWhy_ = tr("Stopped at token %1: %2").arg(token).arg(why);
        updateStatus();
    });
    on(actions_.nextToken, [this] { step(Pace::Token); });
    on(actions_.nextRecursion, [this] { step(Pace::Recursion); });
    on(actions_.stop, [this] { feed_.state() == EngineState::Loading ? feed_.cancelLoad() : feed_.stop(); });
    on(actions_.back, [this] { goBack(); });
    on(actions_.enlarge, [this] { enlarge(page_->enlarged().isEmpty() ? page_->focusedView() : QString()); });
    connect(page_, &TracePage::enlargeWanted, this, &MainWindow::enlarge);
    on(actions_.openTrace, [this] { askForTrace(); });
    on(actions_.openModel, [this] { askForModel(); });
    on(actions_.saveTrace, [this] { saveTrace(); });
    on(actions_.savePicture, [this] { savePicture(); });
    on(actions_.aboutRun, [this] { aboutRun(); });
    on(actions_.editPrompt, [this] { prompt_->edit()->setFocus(); });
    on(actions_.quit, [this] { close(); });
    on(actions_.compareRules, [this] { compareRules(); });
    on(actions_.compareModels, [this] { compareWith(); });
    connect(page_, &TracePage::rerunWanted, this, [this](double threshold) {
        controls_->setThreshold(threshold);
        if (live_ && prompt_->text() != runPrompt_) prompt_->setText(runPrompt_);
        generate(Pace::Run);
    });
    connect(chooser_, &ModelChooser::chosen, this, &MainWindow::openModel);
    connect(header_->device(), &DeviceChooser::chosen, this, &MainWindow::chooseDevice);
}

void MainWindow::generate(Pace pace) {
    error_->hide();
    RunRequest request;
    request.text = prompt_->text();
    if (request.text.trimmed().isEmpty()) {
        prompt_->edit()->setFocus();
        return showError(tr("The prompt is empty: type the beginning of a text, then press Generate."));
    }
    if (!hasTokenizer_) {
        auto ids = parseTokenIds(request.text);
        if (!ids) return showError(tr("This model has no tokenizer: type token ids such as 1, 2, 3 as the prompt."));
        request.settings.prompt = std::move(*ids);
        request.text.clear();
    }
    const RunSettings run = controls_->settings();
    request.settings.max_tokens = run.maxTokens;
    request.settings.sampling = run.sampling;
    if (!controls_->whatIf()->isValid())
        return showError(tr("Forced depths: write position=depth with depths up to %1, for instance 3=1, 7=2.")
                             .arg(info_ ? info_->config.mor.num_recursion : 0));
    request.settings.routing = controls_->routing();
    request.kv.policy = controls_->whatIf()->settings().kvPolicy;
    request.settings.exits = run.exits && info_ && mor::has_exits(info_->config.mor);
    runPrompt_ = prompt_->text();
    stoppedWhy_.clear();
    feed_.generate(std::move(request), pace);
    page_->flow()->setFocus();  // so that Space pauses
}

void MainWindow::compareRules() {
    if (!actions_.compareRules->isChecked()) {
        feed_.stop();
        return page_->overlay()->clear();
    }
    feed_.compareRules(model_.trace());
}

void MainWindow::showState(EngineState state) {
    const bool ready = state == EngineState::Ready;
    const bool paused = state == EngineState::Paused;
    actions_.generate->setEnabled(ready || paused);
    const bool loads = state == EngineState::Loading, analyses = state == EngineState::Analyzing;
    actions_.stop->setEnabled(feed_.isBusy() || loads || analyses);
    actions_.setStops(loads);
    if (loads) chooser_->showLoading(loading_, 0);
    header_->setBusy(loads || analyses);
    const auto& mor = model_.header().config.mor;
    actions_.compareRules->setEnabled((ready && model_.tokenCount() > 1 && mor.routing == mor::Routing::ExpertChoice) ||
                                      analyses);
    actions_.compareModels->setEnabled(!feed_.isBusy() && model_.tokenCount() > 1);
    actions_.saveTrace->setEnabled(model_.hasRun());
    actions_.savePicture->setEnabled(model_.hasRun());
    actions_.showTable->setEnabled(model_.hasRun());
    actions_.aboutRun->setEnabled(model_.hasRun());
    showPlaying();
}

void MainWindow::showModel(const mor::ModelInfo& info, bool hasTokenizer) {
    info_ = info;
    hasTokenizer_ = hasTokenizer;
    settings_.lastModel = QString::fromStdString(info.directory.string());
    chooser_->showModel(info);
    controls_->whatIf()->setModel(info);
    header_->setDevice(QString::fromStdString(info.device), QString::fromStdString(info.device_note));
    offerPrompt(info, hasTokenizer);
    setWindowTitle(tr("%1 – Morscope").arg(QString::fromStdString(info.name)));
}

/// A sample gives way to the new model's own; what somebody typed stays.
void MainWindow::offerPrompt(const mor::ModelInfo& info, bool hasTokenizer) {
    const QString sample = samplePrompt(info, hasTokenizer);
    prompt_->setTakesTokenIds(!hasTokenizer, sample);
    if (samples_.contains(prompt_->text())) prompt_->setText(sample);
}

void MainWindow::showError(const QString& sentence) { error_->showSentence(sentence); }

void MainWindow::closeEvent(QCloseEvent* event) {
    feed_.stop();
    if (save_) save_(currentSettings());
    event->accept();
}

}  // namespace mor::ui
