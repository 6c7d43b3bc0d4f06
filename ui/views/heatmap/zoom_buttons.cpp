// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/heatmap/zoom_buttons.hpp"

#include <QHBoxLayout>
#include <QToolButton>

namespace mor::ui {
namespace {

constexpr double kStep = 1.5;

}  // namespace

ZoomButtons::ZoomButtons(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    const auto add = [&](const QString& text, const QString& tip, auto pressed) {
        auto* button = new QToolButton;
        button->setText(text);
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setAutoRaise(true);
        button->setAutoRepeat(true);
        connect(button, &QToolButton::clicked, this, pressed);
        row->addWidget(button);
    };
    add(QStringLiteral("\u2212"), tr("Narrower columns (Ctrl and wheel, or -)"), [this] { emit zoomWanted(1 / kStep); });
    add(QStringLiteral("+"), tr("Wider columns (Ctrl and wheel, or +)"), [this] { emit zoomWanted(kStep); });
    add(tr("fit"), tr("All tokens at once (F)"), [this] { emit fitWanted(); });
}

void ZoomButtons::setTheme(const Theme& theme) {
    const auto& frame = theme.frame();
    setStyleSheet(
        QStringLiteral(
            "QToolButton { border: 0; min-height: 0; border-radius: %3px; padding: 1px %4px; color: %1; background: "
            "transparent; }"
            "QToolButton:hover, QToolButton:focus { color: %2; background: %5; }")
            .arg(frame.caption.name(), frame.text.name())
            .arg(qRound(theme.px(3)))
            .arg(qRound(theme.px(6)))
            .arg(frame.track.name()));
    for (auto* button : findChildren<QToolButton*>()) button->setFont(theme.caption());
}

}  // namespace mor::ui
