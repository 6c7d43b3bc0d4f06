// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/screenshot.hpp"

#include <QCoreApplication>
#include <QEventLoop>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/sample_prompt.hpp"
#include "gui/export/export.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/comparison_window.hpp"
#include "gui/window/main_window.hpp"

namespace mor::ui {

namespace {

constexpr int kTokens = 40;

/// The look of a picture does not depend on who takes it: nothing of the user's settings but what was typed.
Settings settingsFor(const Arguments& a) {
    Settings s;
    s.appearance = a.dark ? AppearanceChoice::Dark : AppearanceChoice::Light;
    s.run.maxTokens = a.maxTokens.value_or(kTokens);
    s.lastModel = a.model;
    return s;
}

/// Opens the model and runs the prompt to its end in nested event loops; returns what went wrong.
QString runPrompt(MainWindow& window, const Arguments& a) {
    QString problem;
    QEventLoop loop;
    Feed& feed = window.feed();
    const auto fail = [&](const QString& sentence) {
        problem = sentence;
        loop.quit();
    };
    QObject::connect(&feed, &Feed::loadFailed, &loop, fail);
    QObject::connect(&feed, &Feed::failed, &loop, fail);
    QObject::connect(&feed, &Feed::modelLoaded, &loop, [&](const mor::ModelInfo& info, bool hasTokenizer) {
        window.promptBox()->setText(a.prompt.value_or(samplePrompt(info, hasTokenizer)));
    });
    QObject::connect(&feed, &Feed::stateChanged, &loop, [&](EngineState state) {
        if (state != EngineState::Ready || window.trace().hasRun()) return;
        window.actions().generate->trigger();
        if (!window.errorBar()->sentence().isEmpty()) fail(window.errorBar()->sentence());
    });
    QObject::connect(&feed, &Feed::finished, &loop, &QEventLoop::quit);
    a.model.isEmpty() ? window.openDefaultModel() : window.openModel(a.model);
    if (!window.errorBar()->sentence().isEmpty()) return window.errorBar()->sentence();
    loop.exec();
    return problem;
}

void paintWhatIsPosted() {
    // Twice: laying out posts the events that paint.
    for (int i = 0; i < 2; ++i) {
        QCoreApplication::sendPostedEvents();
        QCoreApplication::processEvents();
    }
}

void settle(MainWindow& window) {
    window.page()->finishDrawing();
    paintWhatIsPosted();
}

/// Two windows: the run's, and the comparison that is drawn.
QString compare(MainWindow& window, const Arguments& a, QPixmap& picture) {
    QString problem;
    QEventLoop loop;
    ComparisonWindow* comparison = window.compareWith(a.compare);
    QObject::connect(comparison, &ComparisonWindow::finished, &loop, &QEventLoop::quit);
    QObject::connect(comparison, &ComparisonWindow::failed, &loop, [&](const QString& sentence) {
        problem = sentence;
        loop.quit();
    });
    comparison->resize(a.size);
    loop.exec();
    paintWhatIsPosted();
    picture = comparison->grab();
    return problem;
}

}  // namespace

QString takeScreenshot(const Arguments& a) {
    MainWindow window(settingsFor(a), {}, {});
    window.resize(a.size);
    window.show();
    const QString problem = runPrompt(window, a);
    if (!problem.isEmpty()) return problem;
    settle(window);
    if (!a.compare.isEmpty()) {
        QPixmap picture;
        const QString reason = compare(window, a, picture);
        return reason.isEmpty() ? savePixmap(picture, a.screenshot) : reason;
    }
    if (!a.view.isEmpty()) return exportPicture(*window.page(), a.screenshot, a.size, 1, a.view);
    return savePixmap(window.grab(), a.screenshot);
}

QString exportTrace(const Arguments& a) {
    MainWindow window(settingsFor(a), {}, {});
    window.resize(a.size);
    window.show();
    window.openTrace(a.open.front());
    if (!window.trace().hasRun()) return window.errorBar()->sentence();
    settle(window);
    return exportPicture(*window.page(), a.exportFile, a.size, 1, a.view);
}

}  // namespace mor::ui
