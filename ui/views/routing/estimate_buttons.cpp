// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/routing/estimate_buttons.hpp"

#include <QHBoxLayout>
#include <QLocale>
#include <QToolButton>

#include "models/threshold_estimate.hpp"

namespace mor::ui {

EstimateButtons::EstimateButtons(ThresholdEstimate* estimate, QWidget* parent)
    : QWidget(parent), estimate_(estimate), rerun_(new QToolButton), reset_(new QToolButton) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(2);
    rerun_->setObjectName(QStringLiteral("rerun"));
    rerun_->setToolTip(tr("Generate again with this threshold: what is estimated now becomes measured"));
    reset_->setObjectName(QStringLiteral("resetEstimate"));
    reset_->setText(QStringLiteral("\u00d7"));
    reset_->setToolTip(tr("Back to the recorded threshold (Backspace)"));
    reset_->setAccessibleName(tr("Back to the recorded threshold"));
    for (auto* button : {rerun_, reset_}) {
        button->setAutoRaise(true);
        row->addWidget(button);
    }
    connect(rerun_, &QToolButton::clicked, this, [this] { emit rerunWanted(estimate_->threshold()); });
    connect(reset_, &QToolButton::clicked, estimate, &ThresholdEstimate::reset);
    connect(estimate, &ThresholdEstimate::changed, this, &EstimateButtons::refresh);
    refresh();
}

void EstimateButtons::refresh() {
    rerun_->setText(tr("generate at %1").arg(QLocale().toString(estimate_->threshold(), 'f', 2)));
    setVisible(estimate_->isActive());
}

void EstimateButtons::setTheme(const Theme& theme) {
    const auto& frame = theme.frame();
    setStyleSheet(
        QStringLiteral(
            "QToolButton { border: 0; min-height: 0; border-radius: %3px; padding: 1px %4px; color: %1; background: %5; }"
            "QToolButton:hover, QToolButton:focus { color: %2; text-decoration: underline; }")
            .arg(frame.selection.name(), frame.text.name())
            .arg(qRound(theme.px(3)))
            .arg(qRound(theme.px(6)))
            .arg(frame.track.name()));
    for (auto* button : {rerun_, reset_}) button->setFont(theme.caption());
}

}  // namespace mor::ui
