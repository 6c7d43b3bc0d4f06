// SPDX-License-Identifier: GPL-3.0-or-later
// Recordings: kept while a run goes on, found again after a crash, shown without a model.
#include <QCheckBox>
#include <QDir>
#include <QElapsedTimer>
#include <QProcess>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <thread>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/export/run_text.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/autosave.hpp"
#include "gui/window/main_window.hpp"
#include "mor/trace.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/text/token_detail_view.hpp"

using namespace mor::ui;
using namespace mor::test;

namespace {

constexpr int kPatience = 60000;  ///< ms; sanitizers are slow
constexpr int kRecorded = 17;

/// What the child process does: records some tokens, as the engine's thread does, and waits for its end.
int recordAndWait(const QString& folder) {
    const Autosave autosave(folder);
    const auto trace = syntheticTrace({.tokens = kRecorded});
    mor::TraceRecorder recorder(autosave.file(), trace.header);
    for (const auto& token : trace.tokens) {
        mor::Events events;
        events.tokens.resize(1);
        events.tokens.front().record = token;
        recorder.add(events);
    }
    std::this_thread::sleep_for(20 * mor::TraceRecorder::kDelay);  // nobody asks for a flush
    std::puts("recorded");
    std::fflush(stdout);
    std::getchar();
    return 0;
}

/// Another process that records into the folder.
struct Recorder {
    explicit Recorder(const QString& folder) {
        process.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--record"), folder});
        ready = process.waitForStarted(kPatience) && process.waitForReadyRead(kPatience);
    }
    void kill() {
        process.kill();
        process.waitForFinished(kPatience);
    }
    void endOrderly() {
        process.write("\n");
        process.closeWriteChannel();
        process.waitForFinished(kPatience);
    }
    QProcess process;
    bool ready = false;
};

std::unique_ptr<MainWindow> makeWindow(const std::filesystem::path& autosave = {}) {
    auto window = std::make_unique<MainWindow>(Settings{}, MainWindow::Save{}, autosave);
    window->resize(1280, 800);
    window->show();
    return window;
}

}  // namespace

class TracesTest : public QObject {
    Q_OBJECT

private slots:
    void aCrashLeavesTheRun();
    void anOrderlyEndLeavesNothingToRecover();
    void windowsDoNotShareAFile();
    void aFolderThatCannotBeMadeRecordsNothing();
    void aRunIsRecordedWhileItGoesOn();
    void theFirstStartShowsTheDemo();
    void aboutTellsTheSettings();
    void exitsAreRecordedOnRequest();
};

void TracesTest::aCrashLeavesTheRun() {
    const QTemporaryDir folder;
    Recorder recorder(folder.path());
    QVERIFY(recorder.ready);
    recorder.kill();
    const Autosave autosave(folder.path());
    QVERIFY(!autosave.recovered().isEmpty());
    QCOMPARE(mor::read_trace(autosave.recovered().toStdString()).tokens.size(), static_cast<std::size_t>(kRecorded));
    auto window = makeWindow();
    window->showRecovered(autosave.recovered());
    QCOMPARE(window->trace().tokenCount(), kRecorded);
    QVERIFY(window->errorBar()->sentence().contains(QDir::toNativeSeparators(autosave.recovered())));
    // Nothing overwrites it, and it is offered once.
    mor::TraceWriter(autosave.file(), syntheticHeader());
    QVERIFY(QFile::exists(autosave.recovered()));
    const Autosave next(folder.path());
    QVERIFY(next.recovered().isEmpty());
}

void TracesTest::anOrderlyEndLeavesNothingToRecover() {
    const QTemporaryDir folder;
    Recorder recorder(folder.path());
    QVERIFY(recorder.ready);
    recorder.endOrderly();
    const Autosave autosave(folder.path());
    QVERIFY(autosave.recovered().isEmpty());
    QVERIFY(std::filesystem::exists(autosave.file()));  // the last run is still there
}

void TracesTest::windowsDoNotShareAFile() {
    const QTemporaryDir folder;
    Recorder recorder(folder.path());
    QVERIFY(recorder.ready);
    const Autosave autosave(folder.path());
    QVERIFY(autosave.recovered().isEmpty());
    QVERIFY(autosave.file().filename() != "last-run.mortrace");
    recorder.kill();
}

void TracesTest::aFolderThatCannotBeMadeRecordsNothing() {
    const Autosave autosave(QStringLiteral("/proc/nowhere/traces"));
    QVERIFY(autosave.file().empty());
    QVERIFY(autosave.recovered().isEmpty());
}

void TracesTest::aRunIsRecordedWhileItGoesOn() {
    const QTemporaryDir folder;
    const Autosave autosave(folder.path());
    auto window = makeWindow(autosave.file());
    window->openModel(QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc"));
    QVERIFY(QTest::qWaitFor([&] { return window->feed().state() == EngineState::Ready; }, kPatience));
    window->promptBox()->setText(QStringLiteral("5, 17, 99, 3"));
    for (int i = 0; i < 3; ++i) {
        // The tokens of a step may be there before the news that it has ended, and until then there is no next one.
        QVERIFY(QTest::qWaitFor([&] { return window->actions().nextToken->isEnabled(); }, kPatience));
        window->actions().nextToken->trigger();
        QVERIFY(QTest::qWaitFor([&] { return window->trace().tokenCount() >= 4 + i; }, kPatience));
    }
    QVERIFY(QTest::qWaitFor([&] { return window->feed().state() != EngineState::Running; }, kPatience));
    QCOMPARE(mor::read_trace(autosave.file()).tokens.size(), static_cast<std::size_t>(window->trace().tokenCount()));
}

void TracesTest::theFirstStartShowsTheDemo() {
    QElapsedTimer clock;
    clock.start();
    auto window = makeWindow();
    window->showDemo();
    window->page()->finishDrawing();
    const auto picture = window->grab();
    qInfo("from nothing to the demo's picture: %lld ms", static_cast<long long>(clock.elapsed()));
    QVERIFY(!picture.isNull());
    QCOMPARE(window->feed().state(), EngineState::NoModel);
    QVERIFY(window->trace().tokenCount() > 40);
    QVERIFY(window->player().end() > window->trace().tokenCount());  // passes too: it can be stepped
    QVERIFY(window->statusLine()->text().contains(QStringLiteral("first-run.mortrace")));
    QVERIFY(window->errorBar()->sentence().isEmpty());
}

void TracesTest::aboutTellsTheSettings() {
    auto header = syntheticHeader();
    header.sampling = {.temperature = 0.8f, .top_k = 40, .top_p = 1, .seed = 7};
    header.routing.threshold = 0.62;
    header.routing.forced_depth[3] = 1;
    const auto text = runText(header);
    for (const char* part : {"Synthetic (0123456789abcdef)", "temperature 0.8, top-k 40, seed 7", "threshold 0.62",
                             "token 3: depth 1", "Go down to the river", "Device: CPU"})
        QVERIFY2(text.contains(QString::fromLatin1(part)), part);
}

void TracesTest::exitsAreRecordedOnRequest() {
    auto window = makeWindow();
    window->openModel(QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3"));
    QVERIFY(QTest::qWaitFor([&] { return window->feed().state() == EngineState::Ready; }, kPatience));
    window->promptBox()->setText(QStringLiteral("The king said"));
    window->controls()->maxTokens()->setValue(4);
    for (const bool wanted : {false, true}) {
        window->controls()->exits()->setChecked(wanted);
        QCOMPARE(window->controls()->settings().exits, wanted);
        QSignalSpy finished(&window->feed(), &Feed::finished);
        window->actions().generate->trigger();
        QVERIFY(finished.wait(kPatience));
        const auto& tokens = window->trace().trace().tokens;
        QVERIFY(!tokens.empty());
        QCOMPARE(std::any_of(tokens.begin(), tokens.end(), [](const auto& token) { return !token.exits.empty(); }), wanted);
    }
}

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "--record") return recordAndWait(QString::fromLocal8Bit(argv[2]));
    QApplication app(argc, argv);
    TracesTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_traces.moc"
