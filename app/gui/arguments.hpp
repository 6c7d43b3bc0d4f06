// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSize>
#include <QString>
#include <QStringList>
#include <optional>

namespace mor::ui {

/// What was typed after `morscope`.
struct Arguments {
    QStringList open;    ///< model directories and traces
    QString screenshot;  ///< draw a live run into this file and leave
    QString exportFile;  ///< draw the one trace in `open` into this file and leave
    QString model;       ///< for the screenshot
    QString compare;     ///< the other model of a side-by-side picture; empty: none
    std::optional<QString> prompt;
    std::optional<int> maxTokens;
    QString view;  ///< only this view; empty: everything
    QSize size{1280, 800};
    bool dark = false;
};

/// Reads the words after the program's name. Empty when only help or version was asked for, which has then been
/// printed. Throws mor::cli::UsageError.
std::optional<Arguments> readArguments(const QStringList& words);

}  // namespace mor::ui
