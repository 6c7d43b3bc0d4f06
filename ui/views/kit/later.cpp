// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/later.hpp"

#include <utility>

namespace mor::ui {

Later::Later(QObject* parent, int milliseconds, std::function<void()> work) : QObject(parent), work_(std::move(work)) {
    timer_.setSingleShot(true);
    timer_.setInterval(milliseconds);
    connect(&timer_, &QTimer::timeout, this, &Later::now);
}

void Later::soon() {
    if (!timer_.isActive()) timer_.start();
}

void Later::now() {
    timer_.stop();
    work_();
}

}  // namespace mor::ui
