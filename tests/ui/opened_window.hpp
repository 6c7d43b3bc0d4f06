// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <memory>

#include "gui/page/trace_page.hpp"
#include "gui/window/main_window.hpp"
#include "mor/model.hpp"
#include "mor/session.hpp"
#include "mor/trace.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"

/// A window under a user's hands, and a recorded run for it to open.
namespace mor::test {

using namespace mor::ui;

inline const QString kModel = QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc");
inline const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
inline constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

/// A window on a model, light, remembering nothing.
struct Opened {
    explicit Opened(const QString& model, const QString& prompt = {}, int maxTokens = 16) {
        Settings settings;
        settings.appearance = AppearanceChoice::Light;
        settings.prompt = prompt;
        settings.run.maxTokens = maxTokens;
        window = std::make_unique<MainWindow>(settings, MainWindow::Save{}, std::filesystem::path{});
        window->resize(1280, 800);
        window->show();
        window->activateWindow();
        if (!model.isEmpty()) window->openModel(model);
    }
    bool waitFor(EngineState state) {
        return QTest::qWaitFor([&] { return window->feed().state() == state; }, kPatience);
    }
    bool waitForTokens(int count) {
        return QTest::qWaitFor([&] { return window->trace().tokenCount() >= count; }, kPatience);
    }
    QToolButton* button(const char* name) { return window->findChild<QToolButton*>(QString::fromLatin1(name)); }

    std::unique_ptr<MainWindow> window;
};

inline void compareCell(const MainWindow& window, int token, int recursion) {
    const auto& record = window.trace().token(token);
    const mor::Decision& decision = record.recursions[static_cast<std::size_t>(recursion)];
    const HeatCell cell = window.page()->heatmap()->cellAt(token, recursion);
    const bool taken = decision.outcome == mor::Outcome::Take;
    const bool offered = decision.outcome != mor::Outcome::NotOffered;
    QVERIFY(cell.known);
    QCOMPARE(cell.offered, offered);
    QCOMPARE(cell.glyph, taken ? CellGlyph::Continue : offered ? CellGlyph::Leave : CellGlyph::None);
    QCOMPARE(taken, recursion < record.depth);
    if (offered) {
        QCOMPARE(cell.fill, static_cast<double>(decision.score));
        QCOMPARE(cell.tick, 0.5);
        QCOMPARE(decision.score >= 0.5f, taken);
    }
    if (taken) QCOMPARE(cell.colour, window.page()->theme().depth(recursion + 1, 3));
}

/// Records a short run and returns the file.
inline QString recordedRun(const QTemporaryDir& folder) {
    const QString file = folder.filePath("run.mortrace");
    const auto model = mor::Model::load(kModel.toStdString(), {.threads = 1});
    mor::Request request;
    request.prompt = {1, 2, 3, 4, 5};
    request.max_tokens = 9;
    request.ignore_eos = true;
    mor::Scheduler scheduler(model);
    mor::TraceWriter writer(file.toStdString(), mor::make_header(model->info(), request, {}, ""));
    scheduler.submit(request);
    while (!scheduler.idle()) writer.add(scheduler.advance());
    return file;
}

}  // namespace mor::test
