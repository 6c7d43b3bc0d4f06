// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>
#include <functional>

namespace mor::ui {

/// Does something once for all who asked within a while: what need not, or must not, be done for every batch of tokens.
class Later : public QObject {
    Q_OBJECT

public:
    Later(QObject* parent, int milliseconds, std::function<void()> work);

    void soon();
    void now();

private:
    std::function<void()> work_;
    QTimer timer_;
};

/// Milliseconds. Batches come every 33: pictures that change as a whole are painted after every third one, and half way to
/// the next, so that no frame has everything to do.
inline constexpr int kDrawLater = 83;

/// The same for one that must not coincide with those: once in the beginning, kDrawLater from then on.
inline constexpr int kDrawBetween = 50;

/// What screen readers are told about a text that grows.
inline constexpr int kDescribeLater = 1000;

}  // namespace mor::ui
