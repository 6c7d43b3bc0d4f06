// SPDX-License-Identifier: GPL-3.0-or-later
// morscope: the window. Exit codes: 0 ok, 1 failed, 2 usage.
#include <QApplication>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QStyleFactory>
#include <algorithm>
#include <iostream>
#include <string_view>

#include "bundled_models.hpp"
#include "gui/arguments.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/sample_prompt.hpp"
#include "gui/controls/settings.hpp"
#include "gui/screenshot.hpp"
#include "gui/window/autosave.hpp"
#include "gui/window/main_window.hpp"
#include "mor/version.hpp"
#include "options.hpp"

namespace {

using namespace mor::ui;

int fail(const QString& sentence, int code) {
    std::cerr << "morscope: " << sentence.toStdString() << "\n";
    return code;
}

bool hasWord(int argc, char** argv, std::initializer_list<std::string_view> words) {
    return std::any_of(argv + 1, argv + argc, [&](std::string_view argument) {
        argument = argument.substr(0, argument.find('='));
        return std::find(words.begin(), words.end(), argument) != words.end();
    });
}

/// Pictures, help and version need no display. Must be settled before the application starts.
bool choosePlatform(int argc, char** argv) {
    if (!qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) return true;
    if (hasWord(argc, argv, {"--screenshot", "--export", "--help", "-h", "--version"})) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        // That platform warns about every window hint it ignores; errors are reported in sentences of our own.
        QLoggingCategory::setFilterRules(QStringLiteral("default.warning=false"));
        return true;
    }
    return !qEnvironmentVariableIsEmpty("DISPLAY") || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
           hasWord(argc, argv, {"-platform"});
}

void openAll(MainWindow& window, const QStringList& paths) {
    QStringList models, traces;
    for (const QString& path : paths) {
        const QString resolved = QString::fromStdString(mor::resolve_model(path.toStdString()).string());
        (QFileInfo(resolved).isDir() ? models : traces).append(resolved);
    }
    if (models.size() > 1 || traces.size() > 1) throw mor::cli::UsageError("one model and one trace can be open at a time");
    // A trace is shown without loading anything; its model can be chosen later.
    if (!models.isEmpty()) window.openModel(models.front());
    if (!traces.isEmpty()) window.openTrace(traces.front());
    if (paths.isEmpty()) window.openDefaultModel();
}

int runWindow(const Arguments& arguments) {
    Settings settings = readSettings();
    if (settings.prompt.isEmpty()) settings.prompt = kSamplePrompt;
    if (arguments.dark) settings.appearance = AppearanceChoice::Dark;
    const bool first = settings.lastModel.isEmpty() && arguments.open.isEmpty();
    const Autosave autosave;
    MainWindow window(settings, &writeSettings, autosave.file());
    openAll(window, arguments.open);
    if (!autosave.recovered().isEmpty() && arguments.open.isEmpty())
        window.showRecovered(autosave.recovered());
    else if (first)
        window.showDemo();
    window.show();
    return QApplication::exec();
}

}  // namespace

int main(int argc, char** argv) {
    if (!choosePlatform(argc, argv))
        return fail("no display: set DISPLAY, or draw into a file with --screenshot FILE.png", 1);
    QApplication app(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("morscope"));
    QApplication::setApplicationName(QStringLiteral("morscope"));
    QApplication::setApplicationDisplayName(QStringLiteral("Morscope"));
    QApplication::setApplicationVersion(QString::fromLatin1(mor::version()));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    try {
        const auto arguments = readArguments(app.arguments().mid(1));
        if (!arguments) return 0;
        if (arguments->screenshot.isEmpty() && arguments->exportFile.isEmpty()) return runWindow(*arguments);
        const QString problem = arguments->screenshot.isEmpty() ? exportTrace(*arguments) : takeScreenshot(*arguments);
        return problem.isEmpty() ? 0 : fail(problem, 1);
    } catch (const mor::cli::UsageError& error) {
        return fail(QStringLiteral("%1 (morscope --help lists the options)").arg(QString::fromStdString(error.what())), 2);
    } catch (const std::exception& error) {
        return fail(QString::fromStdString(error.what()), 1);
    }
}
