// SPDX-License-Identifier: GPL-3.0-or-later
// The window's menu and looks: theme, colour maps, presentation.
#include <QApplication>
#include <QMenu>

#include "gui/controls/header_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/comparison_window.hpp"
#include "gui/window/main_window.hpp"
#include "gui/window/shortcuts_dialog.hpp"
#include "gui/window/style.hpp"
#include "gui/window/table_dialog.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/panel.hpp"
#include "views/time/play_bar.hpp"

namespace mor::ui {

namespace {

constexpr double kPresentationScale = 1.6;
constexpr double kZoomStep = 1.25;

void addGroup(QMenu* menu, const QString& title, const QActionGroup* group) {
    QMenu* sub = menu->addMenu(title);
    sub->addActions(group->actions());
}

}  // namespace

QMenu* MainWindow::makeMenu() {
    auto* menu = new QMenu;
    menu->addAction(actions_.openTrace);
    recent_ = menu->addMenu(tr("Recent traces"));
    recent_->setToolTipsVisible(true);
    fillRecent();
    menu->addAction(actions_.openModel);
    menu->addSeparator();
    menu->addActions({actions_.saveTrace, actions_.savePicture, actions_.showTable, actions_.aboutRun});
    menu->addSeparator();
    addGroup(menu, tr("Appearance"), actions_.appearance);
    addGroup(menu, tr("Colour map"), actions_.colourMap);
    addGroup(menu, tr("Colour heatmap by"), actions_.colourBy);
    menu->addActions({actions_.compareRules, actions_.compareModels});
    menu->addActions({actions_.zoomIn, actions_.zoomOut, actions_.zoomFit, actions_.enlarge, actions_.presentation,
                      actions_.fullScreen});
    menu->addSeparator();
    QMenu* time = menu->addMenu(tr("Time"));
    time->addActions({actions_.previousToken, actions_.nextToken, actions_.previousRecursion, actions_.nextRecursion,
                      actions_.toBegin, actions_.toEnd, actions_.previousMatch, actions_.nextMatch});
    menu->addActions({actions_.editPrompt, actions_.shortcuts, actions_.quit});

    actions_.appearance->actions()[static_cast<int>(settings_.appearance)]->setChecked(true);
    actions_.colourMap->actions()[static_cast<int>(settings_.colourMap)]->setChecked(true);
    actions_.colourBy->actions()[0]->setChecked(true);
    connect(actions_.appearance, &QActionGroup::triggered, this, [this](QAction* action) {
        settings_.appearance = static_cast<AppearanceChoice>(action->data().toInt());
        applyLook();
    });
    connect(actions_.colourMap, &QActionGroup::triggered, this, [this](QAction* action) {
        settings_.colourMap = static_cast<ColourMap>(action->data().toInt());
        applyLook();
    });
    connect(actions_.colourBy, &QActionGroup::triggered, this, [this](QAction* action) {
        page_->heatmap()->setColourBy(static_cast<ColourBy>(action->data().toInt()));
        page_->updateCaptions();
    });
    connect(actions_.zoomIn, &QAction::triggered, this, [this] { page_->heatmap()->zoomBy(kZoomStep); });
    connect(actions_.zoomOut, &QAction::triggered, this, [this] { page_->heatmap()->zoomBy(1 / kZoomStep); });
    connect(actions_.shortcuts, &QAction::triggered, this,
            [this] { (new ShortcutsDialog(QWidget::actions(), this))->show(); });
    connect(actions_.zoomFit, &QAction::triggered, this, [this] { page_->heatmap()->fit(); });
    connect(actions_.presentation, &QAction::toggled, this, &MainWindow::setPresentation);
    connect(actions_.fullScreen, &QAction::toggled, this, [this](bool on) { on ? showFullScreen() : showNormal(); });
    connect(actions_.showTable, &QAction::triggered, this,
            [this] { (new TableDialog(&model_, &selection_, this))->show(); });
    return menu;
}

void MainWindow::applyLook() {
    Theme theme;
    theme.appearance = appearanceOf(settings_.appearance, desktop_);
    theme.map = settings_.colourMap;
    theme.scale = scale_;
    // Menus, popups and dialogs are windows of their own: only the application's palette and font reach them.
    QApplication::setPalette(paletteOf(theme));
    QApplication::setFont(theme.body());
    setStyleSheet(styleSheetOf(theme));
    actions_.setTheme(theme);
    prompt_->setTheme(theme);
    page_->setTheme(theme);
    playBar_->setTheme(theme);
    status_->setFont(theme.caption());
    theme.scale = 1;
    for (auto* comparison : findChildren<ComparisonWindow*>()) comparison->setTheme(theme);
}

void MainWindow::setPresentation(bool on) {
    if (on) page_->setFocus();
    showControls(!on && page_->enlarged().isEmpty());
}

void MainWindow::enlarge(const QString& view) {
    if (view == page_->enlarged()) return;
    // All views in large type ask for more room than one: the type shrinks before they come back.
    if (view.isEmpty()) showControls(!actions_.presentation->isChecked());
    page_->setEnlarged(view);
    if (view.isEmpty()) return;
    if (const auto* one = page_->view(view)) one->made.widget->setFocus();
    showControls(false);
}

/// One view alone and presentation look alike: large type, and nothing but pictures.
void MainWindow::showControls(bool on) {
    scale_ = on ? 1 : kPresentationScale;
    const auto show = [&] {
        for (QWidget* control : std::initializer_list<QWidget*>{header_, prompt_, playBar_}) control->setVisible(on);
    };
    // Controls in large type would ask for a wider window.
    if (!on) show();
    applyLook();
    if (on) show();
}

/// One key out of everything: what covers most goes first.
void MainWindow::goBack() {
    if (!page_->enlarged().isEmpty()) return enlarge({});
    if (actions_.presentation->isChecked()) return actions_.presentation->setChecked(false);
    if (actions_.fullScreen->isChecked()) return actions_.fullScreen->setChecked(false);
    selection_.clear();
}

Settings MainWindow::currentSettings() const {
    Settings s = settings_;
    s.geometry = saveGeometry();
    s.splitters = page_->layoutState();
    s.run = controls_->settings();
    s.prompt = prompt_->text();
    return s;
}

}  // namespace mor::ui
