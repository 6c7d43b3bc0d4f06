// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/header_bar.hpp"

#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QProgressBar>
#include <QToolButton>
#include <QVBoxLayout>

#include "gui/controls/actions.hpp"
#include "gui/controls/device_chooser.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/controls/run_controls.hpp"

namespace mor::ui {

namespace {

constexpr int kBusyHeight = 3;

/// Buttons follow their action's text, so the pause button would change its width between "Pause" and "Resume".
void reserveWidth(QToolButton* button, const QString& longest) {
    const QString shown = button->text();
    button->setText(longest);
    button->setMinimumWidth(button->sizeHint().width());
    button->setText(shown);
}

}  // namespace

HeaderBar::HeaderBar(const Actions& actions, ModelChooser* chooser, RunControls* controls, QMenu* menu, QWidget* parent)
    : QFrame(parent), device_(new DeviceChooser), menu_(new QToolButton), busy_(new QProgressBar) {
    setObjectName(QStringLiteral("header"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(14, 7, 14, 7 - kBusyHeight);
    row->setSpacing(8);
    column->addLayout(row);
    row->addWidget(chooser);
    setLayout(column);
    row->addWidget(buttonFor(actions.generate, QStringLiteral("primary")));
    QToolButton* pause = buttonFor(actions.pause, QStringLiteral("pause"));
    row->addWidget(pause);
    steps_ = {buttonFor(actions.nextToken, QStringLiteral("nextToken")),
              buttonFor(actions.nextRecursion, QStringLiteral("nextRecursion"))};
    for (auto* step : steps_) row->addWidget(step);
    QToolButton* stop = buttonFor(actions.stop, QStringLiteral("stop"));
    row->addWidget(stop);
    row->addWidget(controls);
    row->addStretch(1);
    row->addWidget(device_);
    menu_->setObjectName(QStringLiteral("quiet"));
    menu_->setPopupMode(QToolButton::InstantPopup);
    menu_->setToolButtonStyle(Qt::ToolButtonIconOnly);
    menu_->setAccessibleName(tr("Menu"));
    menu->setParent(menu_, menu->windowFlags());
    menu_->setMenu(menu);
    menu_->setIcon(actions.menu->icon());
    menu_->setToolTip(actions.menu->toolTip());
    connect(actions.menu, &QAction::changed, menu_, [this, action = actions.menu] { menu_->setIcon(action->icon()); });
    connect(actions.menu, &QAction::triggered, menu_, &QToolButton::showMenu);
    row->addWidget(menu_);
    busy_->setRange(0, 0);
    busy_->setTextVisible(false);
    busy_->setFixedHeight(kBusyHeight);
    busy_->setAccessibleName(tr("Progress"));
    auto policy = busy_->sizePolicy();
    policy.setRetainSizeWhenHidden(true);  // nothing jumps when it ends
    busy_->setSizePolicy(policy);
    busy_->hide();
    column->addWidget(busy_);
    reserveWidth(pause, tr("Resume"));
    reserveWidth(stop, tr("Cancel"));
}

QToolButton* HeaderBar::buttonFor(QAction* action, const QString& name) {
    auto* button = new QToolButton(this);
    button->setDefaultAction(action);
    button->setObjectName(name);
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    return button;
}

void HeaderBar::measureSteps() {
    wideSteps_ = 0;
    for (auto* step : steps_) {
        step->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        wideSteps_ += step->sizeHint().width();
    }
}

/// A model's long name is worth more than what icons and tooltips say too.
void HeaderBar::fit() {
    int others = layout()->sizeHint().width();
    for (const auto* step : steps_) others -= step->sizeHint().width();
    const auto style = others + wideSteps_ <= width() ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly;
    for (auto* step : steps_)
        if (step->toolButtonStyle() != style) step->setToolButtonStyle(style);
}

void HeaderBar::resizeEvent(QResizeEvent* event) {
    fit();
    QFrame::resizeEvent(event);
}

bool HeaderBar::event(QEvent* event) {
    const auto type = event->type();
    if (type == QEvent::Polish || type == QEvent::StyleChange || type == QEvent::FontChange) measureSteps();
    const bool done = QFrame::event(event);
    if (type == QEvent::LayoutRequest || type == QEvent::Polish) fit();  // a part became longer or shorter
    return done;
}

void HeaderBar::setDevice(const QString& device, const QString& note) { device_->showDevice(device, note); }

void HeaderBar::setBusy(bool busy) {
    busy_->setRange(0, 0);
    busy_->setVisible(busy);
}

void HeaderBar::setProgress(double share) {
    busy_->setRange(0, 100);
    busy_->setValue(qRound(100 * share));
}

}  // namespace mor::ui
