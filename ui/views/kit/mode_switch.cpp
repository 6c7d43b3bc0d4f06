// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/mode_switch.hpp"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QToolButton>

namespace mor::ui {

ModeSwitch::ModeSwitch(const QList<Mode>& modes, QWidget* parent) : QWidget(parent), group_(new QButtonGroup(this)) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    for (const auto& mode : modes) {
        auto* button = new QToolButton;
        button->setText(mode.name);
        button->setToolTip(mode.tip);
        button->setCheckable(true);
        button->setAutoRaise(true);
        group_->addButton(button, group_->buttons().size());
        row->addWidget(button);
    }
    group_->setExclusive(true);
    setMode(0);
    connect(group_, &QButtonGroup::idToggled, this, [this](int mode, bool on) {
        if (on) emit modeChanged(mode);
    });
}

int ModeSwitch::mode() const { return group_->checkedId(); }

void ModeSwitch::setMode(int mode) {
    if (auto* button = group_->button(mode)) button->setChecked(true);
}

void ModeSwitch::setTheme(const Theme& theme) {
    const auto& frame = theme.frame();
    setStyleSheet(
        QStringLiteral(
            "QToolButton { border: 0; min-height: 0; border-radius: %4px; padding: 1px %5px; color: %1; background: "
            "transparent; }"
            "QToolButton:checked { color: %2; background: %3; }"
            "QToolButton:hover, QToolButton:focus { color: %2; text-decoration: underline; }")
            .arg(frame.caption.name(), frame.text.name(), frame.track.name())
            .arg(qRound(theme.px(3)))
            .arg(qRound(theme.px(6))));
    for (auto* button : group_->buttons()) button->setFont(theme.caption());
}

}  // namespace mor::ui
