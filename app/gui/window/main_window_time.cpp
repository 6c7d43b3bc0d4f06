// SPDX-License-Identifier: GPL-3.0-or-later
// The window's two clocks, the engine's and the reader's: steps, pause, replay, matches.
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/window/main_window.hpp"

namespace mor::ui {

void MainWindow::step(Pace pace) {
    if (model_.hasRun() && !player_.isAtEnd()) {  // what is recorded already needs no engine
        if (feed_.state() == EngineState::Running) feed_.pause();
        return pace == Pace::Token ? player_.stepTokens(1) : player_.stepPasses(1);
    }
    const bool goesOn = live_ && (feed_.isBusy() || (feed_.canExtend() && runPrompt_ == prompt_->text()));
    if (!goesOn) return generate(pace);
    player_.follow();
    pace == Pace::Token ? feed_.stepToken() : feed_.stepRecursion();
}

/// The engine and the moment shown are one clock to the reader: both run, or both rest.
void MainWindow::togglePause() {
    stoppedWhy_.clear();
    if (live_ && feed_.state() == EngineState::Running && player_.isPlaying()) {
        feed_.pause();
        if (!player_.isAtEnd()) player_.pause();
    } else if (live_ && feed_.isBusy()) {
        player_.follow();
        feed_.resume();
    } else {
        player_.isPlaying() ? player_.pause() : player_.play();
    }
    updateStatus();
}

void MainWindow::goToMatch(int step) {
    const int from = selection_.pinned() >= 0 ? selection_.pinned() : step > 0 ? -1 : model_.tokenCount();
    const auto& whole = player_.whole();
    const int found = findMatch(player_.breakpoints(), whole, from, step, static_cast<int>(whole.tokens.size()));
    if (found < 0)
        return status_->setText(player_.breakpoints().isEmpty() ? tr("Say what to look for under Stop when …")
                                                                : tr("No further match"));
    if (found >= model_.tokenCount()) player_.seek(player_.momentOf(found));
    selection_.clear();
    selection_.togglePin(found);
}

/// Buttons follow both clocks.
void MainWindow::showPlaying() {
    const auto state = feed_.state();
    const bool ready = state == EngineState::Ready, busy = feed_.isBusy();
    const bool recorded = player_.end() > 0, ahead = recorded && !player_.isAtEnd();
    const bool rests = busy ? state == EngineState::Paused || !player_.isPlaying() : !player_.isPlaying();
    actions_.pause->setEnabled(busy || recorded);
    actions_.setPaused(rests && (busy || recorded), busy);
    actions_.nextToken->setEnabled(ready || state == EngineState::Paused || ahead);
    actions_.nextRecursion->setEnabled(actions_.nextToken->isEnabled());
    for (auto* action : {actions_.previousToken, actions_.previousRecursion, actions_.toBegin})
        action->setEnabled(player_.moment() > 0);
    actions_.toEnd->setEnabled(ahead);
    updateStatus();
}

void MainWindow::updateStatus() {
    const bool looksBack = feed_.state() == EngineState::Ready && !player_.isAtEnd() && !player_.isPlaying();
    const auto text = statusText(model_, looksBack ? EngineState::Paused : feed_.state(), traceName_);
    status_->setText(stoppedWhy_.isEmpty() ? text : stoppedWhy_ + QStringLiteral(" · ") + text);
}

}  // namespace mor::ui
