// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/following_bar.hpp"

#include <QScopedValueRollback>
#include <QScrollBar>
#include <cmath>

namespace mor::ui {

FollowingBar::FollowingBar(QScrollBar* bar) : QObject(bar), bar_(bar) {
    // Whoever else moves the bar, the reader or another view that is scrolled together with this one, means it.
    connect(bar, &QAbstractSlider::valueChanged, this, [this] {
        if (!moving_) following_ = isAtEnd();
    });
}

void FollowingBar::setTheme(const Theme& theme) {
    bar_->setStyleSheet(
        QStringLiteral("QScrollBar { background: %1; border: 0; }"
                       "QScrollBar:horizontal { height: %3px; } QScrollBar:vertical { width: %3px; }"
                       "QScrollBar::handle { background: %2; border-radius: %4px; min-width: 24px; min-height: 24px; }"
                       "QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }"
                       "QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }")
            .arg(theme.frame().panel.name(), theme.frame().neutral.name())
            .arg(qRound(theme.px(8)))
            .arg(qRound(theme.px(4))));
}

bool FollowingBar::isAtEnd() const { return bar_->value() >= bar_->maximum() - bar_->singleStep() / 2; }

void FollowingBar::scrollTo(int value) {
    const QScopedValueRollback<bool> own(moving_, true);
    bar_->setValue(value);
}

void FollowingBar::restart() {
    following_ = true;
    scrollTo(bar_->maximum());
}

void FollowingBar::setContent(double length, double page, bool stay) {
    {
        const QScopedValueRollback<bool> own(moving_, true);  // a shorter range moves the value
        bar_->setPageStep(qMax(1, static_cast<int>(page)));
        bar_->setRange(0, qMax(0, static_cast<int>(std::ceil(length - page))));
    }
    if (!stay) toEndIfFollowing();
}

void FollowingBar::reveal(double from, double to) {
    const double page = bar_->pageStep();
    const double context = qMin(to - from, page / 4);
    if (from - context < bar_->value())
        scrollTo(static_cast<int>(from - context));
    else if (to + context > bar_->value() + page)
        scrollTo(static_cast<int>(std::ceil(to + context - page)));
}

void FollowingBar::toEndIfFollowing() {
    if (following_) scrollTo(bar_->maximum());
}

void FollowingBar::moveTo(int value) {
    scrollTo(value);
    following_ = isAtEnd();
}

}  // namespace mor::ui
