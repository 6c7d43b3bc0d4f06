// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/settings.hpp"

#include <QSettings>
#include <algorithm>
#include <cmath>

namespace mor::ui {

namespace {

/// A number from the file, brought into its range; the default when it is none.
double number(const QSettings& file, const QString& key, double standard, double lowest, double highest) {
    bool ok = false;
    const double value = file.value(key).toDouble(&ok);
    return ok && std::isfinite(value) ? std::clamp(value, lowest, highest) : standard;
}

int whole(const QSettings& file, const QString& key, int standard, int lowest, int highest) {
    return static_cast<int>(number(file, key, standard, lowest, highest));
}

template <typename Enum>
Enum choice(const QSettings& file, const QString& key, const QStringList& words, Enum standard) {
    const auto index = words.indexOf(file.value(key).toString());
    return index < 0 ? standard : static_cast<Enum>(index);
}

const QStringList kAppearances{QStringLiteral("system"), QStringLiteral("light"), QStringLiteral("dark")};
const QStringList kMaps{QStringLiteral("cividis"), QStringLiteral("viridis"), QStringLiteral("grey")};
const QStringList kDevices{QStringLiteral("auto"), QStringLiteral("cpu"), QStringLiteral("cuda")};
const QStringList kRules{QStringLiteral("threshold"), QStringLiteral("topk")};

RunSettings readRun(const QSettings& file) {
    RunSettings run;
    run.sampling.temperature = static_cast<float>(number(file, "run/temperature", run.sampling.temperature, 0, 5));
    run.sampling.top_k = whole(file, "run/top_k", run.sampling.top_k, 0, 1 << 20);
    run.sampling.top_p = static_cast<float>(number(file, "run/top_p", run.sampling.top_p, 0.01, 1));
    run.sampling.seed = static_cast<std::uint64_t>(whole(file, "run/seed", 1, 0, INT32_MAX));
    run.maxTokens = whole(file, "run/max_tokens", run.maxTokens, 0, RunSettings::kMostTokens);
    run.rule = choice(file, "run/rule", kRules, run.rule);
    run.threshold = number(file, "run/threshold", run.threshold, 0.01, 0.99);
    run.exits = file.value("run/exits", run.exits).toBool();
    return run;
}

}  // namespace

Settings readSettings() {
    const QSettings file;
    Settings s;
    s.geometry = file.value("window/geometry").toByteArray();
    const QVariantMap splitters = file.value("window/splitters").toMap();
    for (auto it = splitters.begin(); it != splitters.end(); ++it) s.splitters[it.key()] = it.value().toByteArray();
    s.appearance = choice(file, "look/appearance", kAppearances, s.appearance);
    s.colourMap = choice(file, "look/colour_map", kMaps, s.colourMap);
    s.run = readRun(file);
    s.prompt = file.value("run/prompt").toString();
    s.lastModel = file.value("model/last").toString();
    const QString device = file.value("model/device").toString();
    if (kDevices.contains(device)) s.device = device;
    s.recentTraces = file.value("traces/recent").toStringList().mid(0, Settings::kMostRecent);
    return s;
}

void writeSettings(const Settings& s) {
    QSettings file;
    file.setValue("window/geometry", s.geometry);
    QVariantMap splitters;
    for (auto it = s.splitters.begin(); it != s.splitters.end(); ++it) splitters[it.key()] = it.value();
    file.setValue("window/splitters", splitters);
    file.setValue("look/appearance", kAppearances[static_cast<int>(s.appearance)]);
    file.setValue("look/colour_map", kMaps[static_cast<int>(s.colourMap)]);
    file.setValue("run/temperature", static_cast<double>(s.run.sampling.temperature));
    file.setValue("run/top_k", s.run.sampling.top_k);
    file.setValue("run/top_p", static_cast<double>(s.run.sampling.top_p));
    file.setValue("run/seed", static_cast<qulonglong>(s.run.sampling.seed));
    file.setValue("run/max_tokens", s.run.maxTokens);
    file.setValue("run/rule", kRules[static_cast<int>(s.run.rule)]);
    file.setValue("run/threshold", s.run.threshold);
    file.setValue("run/exits", s.run.exits);
    file.setValue("run/prompt", s.prompt);
    file.setValue("model/last", s.lastModel);
    file.setValue("model/device", s.device);
    file.setValue("traces/recent", s.recentTraces);
}

}  // namespace mor::ui
