// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QMap>
#include <QString>
#include <QStringList>

#include "mor/settings.hpp"
#include "views/kit/palette.hpp"

namespace mor::ui {

enum class AppearanceChoice { System, Light, Dark };

/// What the sampling controls hold.
struct RunSettings {
    mor::Sampling sampling{.temperature = 0.8f, .top_k = 40, .top_p = 1.0f, .seed = 1};
    int maxTokens = 80;
    mor::SelectionRule rule = mor::SelectionRule::Threshold;
    double threshold = 0.5;
    bool exits = true;  ///< record what the model would say after each recursion

    static constexpr int kMostTokens = 65536;
};

/// What the window remembers between two starts.
struct Settings {
    QByteArray geometry;
    QMap<QString, QByteArray> splitters;  ///< by object name
    AppearanceChoice appearance = AppearanceChoice::System;
    ColourMap colourMap = ColourMap::Cividis;
    RunSettings run;
    QString prompt;
    QString device = QStringLiteral("auto");  ///< as in DeviceSettings::device
    QString lastModel;                        ///< directory; empty: the first bundled model
    QStringList recentTraces;

    static constexpr int kMostRecent = 8;
};

/// The only users of QSettings. Values that make no sense in the file are replaced by the defaults.
Settings readSettings();
void writeSettings(const Settings&);

}  // namespace mor::ui
