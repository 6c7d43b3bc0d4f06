// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/selection.hpp"

#include <algorithm>
#include <utility>

#include "models/trace_model.hpp"

namespace mor::ui {

Selection::Selection(const TraceModel* model, QObject* parent) : QObject(parent), model_(model) {
    connect(model, &QAbstractItemModel::modelReset, this, [this] {
        hovered_ = pinned_ = secondPinned_ = -1;
        emit changed();
    });
    connect(model, &QAbstractItemModel::rowsInserted, this, &Selection::follow);
    connect(model, &QAbstractItemModel::rowsRemoved, this, &Selection::shrink);
}

bool Selection::exists(int token) const { return token >= 0 && token < model_->tokenCount(); }

void Selection::follow() {
    if (hovered_ < 0 && pinned_ < 0) emit changed();
}

void Selection::shrink() {
    for (int* token : {&hovered_, &pinned_, &secondPinned_})
        if (!exists(*token)) *token = -1;
    if (pinned_ < 0) pinned_ = std::exchange(secondPinned_, -1);
    emit changed();
}

int Selection::current() const {
    if (hovered_ >= 0) return hovered_;
    if (secondPinned_ >= 0) return secondPinned_;
    return pinned_ >= 0 ? pinned_ : model_->tokenCount() - 1;
}

void Selection::setHovered(int token) {
    const int wanted = exists(token) ? token : -1;
    if (wanted == hovered_) return;
    hovered_ = wanted;
    emit changed();
}

void Selection::togglePin(int token) {
    if (!exists(token)) return;
    if (token == pinned_) {
        pinned_ = std::exchange(secondPinned_, -1);
    } else if (token == secondPinned_) {
        secondPinned_ = -1;
    } else if (pinned_ < 0) {
        pinned_ = token;
    } else {
        secondPinned_ = token;
    }
    emit changed();
}

void Selection::setMarks(const Marks& wanted) {
    const auto known = [this](int token) { return exists(token) ? token : -1; };
    const Marks marks{known(wanted.hovered), known(wanted.pinned), known(wanted.secondPinned)};
    if (marks == this->marks()) return;
    hovered_ = marks.hovered;
    pinned_ = marks.pinned;
    secondPinned_ = marks.secondPinned;
    emit changed();
}

void Selection::moveBy(int tokens) {
    const int count = model_->tokenCount();
    if (count == 0) return;
    int& pin = secondPinned_ >= 0 ? secondPinned_ : pinned_;
    // The keyboard starts where the eye is: at the hovered token, or at the newest one.
    const int from = pin >= 0 ? pin : current();
    int to = static_cast<int>(std::clamp<qint64>(qint64{from} + tokens, 0, count - 1));
    if (&pin == &secondPinned_ && to == pinned_) to += tokens > 0 ? 1 : -1;  // two pins on one token would say nothing
    if (!exists(to)) return;
    hovered_ = -1;
    pin = to;
    emit changed();
}

void Selection::clear() {
    if (hovered_ < 0 && pinned_ < 0 && secondPinned_ < 0) return;
    hovered_ = pinned_ = secondPinned_ = -1;
    emit changed();
}

}  // namespace mor::ui
