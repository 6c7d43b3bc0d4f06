// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/actions.hpp"

#include <QCoreApplication>
#include <QWidget>

#include "views/kit/icons.hpp"

namespace mor::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Actions", text); }

void explain(QAction* action, const QString& what) {
    const QString keys = action->shortcut().toString(QKeySequence::NativeText);
    action->setToolTip(keys.isEmpty() ? what : QStringLiteral("%1 (%2)").arg(what, keys));
    action->setStatusTip(what);
}

QAction* make(QWidget* window, const QString& text, const QKeySequence& keys, const QString& what) {
    auto* action = new QAction(text, window);
    action->setShortcut(keys);
    explain(action, what);
    window->addAction(action);
    return action;
}

QActionGroup* makeGroup(QWidget* window, const QStringList& names, const QStringList& keys, const QString& what) {
    auto* group = new QActionGroup(window);
    for (int i = 0; i < names.size(); ++i) {
        QAction* action = make(window, names[i], QKeySequence(keys.value(i)), what.arg(names[i].toLower()));
        action->setCheckable(true);
        action->setData(i);
        group->addAction(action);
    }
    return group;
}

}  // namespace

Actions::Actions(QWidget* w)
    : generate(make(w, tr("Generate"), QKeySequence("Ctrl+Return"), tr("Go on from the prompt"))),
      pause(make(w, tr("Pause"), QKeySequence("Space"), tr("Pause, or go on"))),
      nextToken(make(w, tr("+1 token"), QKeySequence("Alt+Right"), tr("Compute one token and pause"))),
      nextRecursion(
          make(w, tr("+1 recursion"), QKeySequence("Alt+Up"), tr("Compute one pass through some layers and pause"))),
      stop(make(w, tr("Stop"), QKeySequence("Ctrl+."), {})),
      previousToken(make(w, tr("-1 token"), QKeySequence("Alt+Left"), tr("Go one token back"))),
      previousRecursion(make(w, tr("-1 recursion"), QKeySequence("Alt+Down"), tr("Go one pass back"))),
      toBegin(make(w, tr("To the beginning"), QKeySequence("Alt+Home"), tr("Show the run before its first pass"))),
      toEnd(make(w, tr("To the end"), QKeySequence("Alt+End"), tr("Show all that is computed"))),
      nextMatch(make(w, tr("Next match"), QKeySequence("F3"), tr("Go to the next token that Stop when … describes"))),
      previousMatch(make(w, tr("Previous match"), QKeySequence("Shift+F3"),
                         tr("Go to the previous token that Stop when … describes"))),
      openTrace(make(w, tr("Open trace…"), QKeySequence("Ctrl+O"), tr("Show a recorded run; no model is needed"))),
      openModel(make(w, tr("Open model directory…"), QKeySequence("Ctrl+Shift+O"), tr("Load a model"))),
      saveTrace(make(w, tr("Save trace as…"), QKeySequence("Ctrl+S"), tr("Record this run in a file"))),
      savePicture(make(w, tr("Save picture…"), QKeySequence("Ctrl+Shift+S"),
                       tr("Save what is drawn as PNG, PDF, SVG or an HTML page"))),
      showTable(
          make(w, tr("Show as table"), QKeySequence("Ctrl+T"), tr("All numbers of this run as a table to read and copy"))),
      aboutRun(make(w, tr("About this run"), QKeySequence("Ctrl+I"), tr("The model and the settings it was made with"))),
      editPrompt(make(w, tr("Edit prompt"), QKeySequence("Ctrl+L"), tr("Go to the prompt"))),
      zoomIn(make(w, tr("Wider columns"), QKeySequence("Ctrl++"), tr("Widen the columns of the heatmap"))),
      zoomOut(make(w, tr("Narrower columns"), QKeySequence("Ctrl+-"), tr("Narrow the columns of the heatmap"))),
      zoomFit(make(w, tr("Whole run"), QKeySequence("Ctrl+0"), tr("Show all columns of the heatmap at once"))),
      compareRules(make(w, tr("Compare with top-k"), QKeySequence("Ctrl+K"),
                        tr("Mark what training-time selection, which looks ahead, would decide otherwise"))),
      compareModels(make(w, tr("Side by side…"), QKeySequence("Ctrl+B"),
                         tr("Let another model, or this one with other settings, read this text beside it"))),
      enlarge(
          make(w, tr("This view alone"), QKeySequence("F6"), tr("Enlarge the view that has the focus, or show all again"))),
      back(make(w, tr("Back"), QKeySequence("Esc"), tr("From one view, presentation or full screen; else forget pins"))),
      presentation(make(w, tr("Presentation"), QKeySequence("F5"), tr("Larger type, no controls"))),
      fullScreen(make(w, tr("Full screen"), QKeySequence("F11"), tr("Fill the screen"))),
      shortcuts(make(w, tr("Keyboard"), QKeySequence("F1"), tr("All keys on one page"))),
      menu(make(w, tr("Menu"), QKeySequence("F10"), tr("Files, look and help"))),
      quit(make(w, tr("Quit"), QKeySequence("Ctrl+Q"), tr("Close the window"))),
      appearance(makeGroup(w, {tr("As the system"), tr("Light"), tr("Dark")}, {{}, "Ctrl+Shift+L", "Ctrl+Shift+D"},
                           tr("Colours of the window: %1"))),
      colourMap(makeGroup(w, {tr("Cividis"), tr("Viridis"), tr("Grey")}, {"Ctrl+1", "Ctrl+2", "Ctrl+3"},
                          tr("Colours of the depths: %1"))),
      colourBy(makeGroup(w, {tr("Depth"), tr("Score"), tr("Gate"), tr("Margin")}, {"Alt+1", "Alt+2", "Alt+3", "Alt+4"},
                         tr("Colour the heatmap by %1"))) {
    // A prompt needs its blanks: Space belongs to the pictures, see MainWindow.
    pause->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    presentation->setCheckable(true);
    compareRules->setCheckable(true);
    fullScreen->setCheckable(true);
    setPaused(false, true);
    setStops(false);
    setTheme({});
}

void Actions::setPaused(bool paused, bool computing) {
    if (shown_ == std::pair(paused, computing)) return;  // an icon set anew lays out the header anew
    shown_ = {paused, computing};
    paused_ = paused;
    pause->setIcon(paused ? goOn_ : rest_);
    pause->setText(!paused ? tr("Pause") : computing ? tr("Resume") : tr("Replay"));
    explain(pause, !paused     ? tr("Pause after the pass being computed")
                   : computing ? tr("Go on")
                               : tr("Show again how this run went"));
}

void Actions::setStops(bool loading) {
    stop->setText(loading ? tr("Cancel") : tr("Stop"));
    explain(stop, loading ? tr("Don't load this model") : tr("End this run and keep what is there"));
}

void Actions::setTheme(const Theme& theme) {
    const Frame& f = theme.frame();
    const QColor faint = blend(f.panel, f.caption, 0.6);
    generate->setIcon(icon(Glyph::Play, f.accentText, f.caption));
    rest_ = icon(Glyph::Pause, f.text, faint);
    goOn_ = icon(Glyph::Play, f.text, faint);
    pause->setIcon(paused_ ? goOn_ : rest_);
    nextToken->setIcon(icon(Glyph::NextToken, f.text, faint));
    nextRecursion->setIcon(icon(Glyph::NextRecursion, f.text, faint));
    stop->setIcon(icon(Glyph::Stop, f.text, faint));
    menu->setIcon(icon(Glyph::Menu, f.text, faint));
}

}  // namespace mor::ui
