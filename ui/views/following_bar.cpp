// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/following_bar.hpp"

#include <QScrollBar>
#include <cmath>

namespace mor::ui {

FollowingBar::FollowingBar(QScrollBar* bar) : QObject(bar), bar_(bar) {
    // Emitted for the reader's actions only, after the slider position and before the value has changed.
    connect(bar, &QAbstractSlider::actionTriggered, this,
            [this] { following_ = bar_->sliderPosition() >= bar_->maximum() - bar_->singleStep() / 2; });
}

void FollowingBar::restart() {
    following_ = true;
    bar_->setValue(bar_->maximum());
}

void FollowingBar::setContent(double length, double page, bool stay) {
    bar_->setPageStep(qMax(1, static_cast<int>(page)));
    bar_->setRange(0, qMax(0, static_cast<int>(std::ceil(length - page))));
    if (!stay) toEndIfFollowing();
}

void FollowingBar::reveal(double from, double to) {
    const double page = bar_->pageStep();
    const double context = qMin(to - from, page / 4);
    if (from - context < bar_->value())
        bar_->setValue(static_cast<int>(from - context));
    else if (to + context > bar_->value() + page)
        bar_->setValue(static_cast<int>(std::ceil(to + context - page)));
}

void FollowingBar::toEndIfFollowing() {
    if (following_) bar_->setValue(bar_->maximum());
}

}  // namespace mor::ui
