// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QSize>
#include <QString>

namespace mor::ui {

class TracePage;

/// The run as one HTML file that needs nothing else and runs nothing: what it was made with, the text with its depths, the
/// page as a RunSheet of `size`, every view by itself, and the table. `only` leaves one view.
QByteArray htmlOf(const TracePage&, const QSize& size, const QString& only = {});

/// Text from a trace as HTML: nothing in it can become markup, and what cannot be shown is U+FFFD.
QString escaped(const QString&);

}  // namespace mor::ui
