// SPDX-License-Identifier: GPL-3.0-or-later
// The window under a user's hands: whole runs by keyboard and mouse, every drawn value against the trace of that run.
#include <QApplication>
#include <QDir>
#include <QDoubleSpinBox>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QImage>
#include <QMimeData>
#include <QProcess>
#include <QSettings>
#include <QSignalSpy>
#include <QStyleFactory>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <cmath>

#include "gui/arguments.hpp"
#include "gui/error_bar.hpp"
#include "gui/export.hpp"
#include "gui/main_window.hpp"
#include "gui/model_chooser.hpp"
#include "gui/prompt_box.hpp"
#include "gui/run_controls.hpp"
#include "gui/status_line.hpp"
#include "gui/table_dialog.hpp"
#include "gui/trace_page.hpp"
#include "models/figures.hpp"
#include "views/compute_view.hpp"
#include "views/depth_heatmap_view.hpp"
#include "views/kv_chart_view.hpp"
#include "views/kv_view.hpp"
#include "views/routing_view.hpp"
#include "views/token_detail_view.hpp"
#include "views/token_flow_view.hpp"

using namespace mor::ui;

namespace {

const QString kModel = QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc");
const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

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

void compareCell(const MainWindow& window, int token, int recursion) {
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

/// The pixels of a cell, not what the query says about them.
void compareCellPixels(const MainWindow& window, const QImage& image, int token, int recursion) {
    const auto* heatmap = window.page()->heatmap();
    const QRectF rect = heatmap->cellRect(token, recursion);
    const QPoint corner = (rect.bottomLeft() + QPointF(rect.width() * 0.8, -2)).toPoint();
    if (!heatmap->viewport()->rect().contains(corner) || !heatmap->viewport()->rect().contains(rect.topLeft().toPoint()))
        return;
    const HeatCell cell = heatmap->cellAt(token, recursion);
    const QColor expected = cell.fill * rect.height() > 4 ? cell.colour : cell.ground;
    const QColor seen = image.pixelColor(corner);
    const int difference = std::abs(seen.red() - expected.red()) + std::abs(seen.green() - expected.green()) +
                           std::abs(seen.blue() - expected.blue());
    if (cell.fill * rect.height() > 4 || cell.fill == 0)
        QVERIFY2(difference < 12, qPrintable(QString("token %1 recursion %2: %3, expected %4")
                                                 .arg(token)
                                                 .arg(recursion)
                                                 .arg(seen.name(), expected.name())));
}

struct ProcessResult {
    int code;
    QByteArray out, err;
};

ProcessResult morscope(const QStringList& arguments) {
    QProcess process;
    process.start(QStringLiteral(MOR_GUI_APP), arguments);
    if (!process.waitForFinished(kPatience)) process.kill();
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2, process.readAllStandardOutput(),
            process.readAllStandardError()};
}

}  // namespace

class WindowTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void generatesByKeyboard();
    void everyCellIsTheTrace();
    void othersShowTheSameRun();
    void hoveringLinksTheViews();
    void generatesByMouse();
    void stepsThenGoesOn();
    void recursionsFillAColumn();
    void pausesBySpace();
    void spaceTypesInThePrompt();
    void stopsByEscape();
    void closesWhileGenerating();
    void closesWhileLoading();
    void emptyPromptIsSaid();
    void idsAreChecked();
    void badModelIsSaid();
    void tooLongPromptIsSaid();
    void opensTraceWithoutModel();
    void brokenTraceIsSaid();
    void dropsAreOpened();
    void traceReplacesALiveRun();
    void themesSwitch();
    void colourMapsSwitch();
    void presentationHidesControls();
    void fitsSmallScreens();
    void actionsAreDocumented();
    void tableCopies();
    void settingsComeBack();
    void settingsAreChecked();
    void readsIds();
    void screenshots();
    void exports_data();
    void exports();
    void refusesArguments_data();
    void refusesArguments();
};

void WindowTest::initTestCase() { QApplication::setStyle(QStyleFactory::create("Fusion")); }

void WindowTest::generatesByKeyboard() {
    Opened o(kTrained, {}, 12);
    QVERIFY(o.waitFor(EngineState::Ready));
    QPlainTextEdit* edit = o.window->promptBox()->edit();
    QTest::mouseClick(edit->viewport(), Qt::LeftButton);
    QTest::keyClicks(edit, "The king said");
    QCOMPARE(o.window->promptBox()->text(), "The king said");
    QTest::keyClick(edit, Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    QCOMPARE(o.window->trace().header().prompt, std::string("The king said"));
    const Figures figures = figuresOf(o.window->trace().trace());
    QVERIFY(figures.decodedTokens == 12 ||
            o.window->trace().token(o.window->trace().tokenCount() - 1).finish == mor::Finish::Eos);
    const QString status = o.window->statusLine()->text();
    for (const char* part : {"tokens/s", "first token", "mean depth", "KV ", "context "})
        QVERIFY2(status.contains(part), qPrintable(status));
    QVERIFY(o.window->errorBar()->isHidden());
}

void WindowTest::everyCellIsTheTrace() {
    Opened o(kTrained, "And the king of Israel went down to the river", 30);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    const TraceModel& trace = o.window->trace();
    QVERIFY(trace.tokenCount() > 10);
    for (int token = 0; token < trace.tokenCount(); ++token)
        for (int recursion = 0; recursion < 3; ++recursion) {
            compareCell(*o.window, token, recursion);
            if (QTest::currentTestFailed()) return;
        }
    const QImage image = o.window->page()->heatmap()->viewport()->grab().toImage();
    for (int token = 0; token < trace.tokenCount() - 1; ++token)  // the newest is marked by the selection
        for (int recursion = 0; recursion < 3; ++recursion) {
            compareCellPixels(*o.window, image, token, recursion);
            if (QTest::currentTestFailed()) return;
        }
}

void WindowTest::othersShowTheSameRun() {
    Opened o(kTrained, "And the king of Israel went down to the river", 20);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    const TraceModel& trace = o.window->trace();
    int depths = 0;
    std::vector<int> taken(3, 0);
    for (int token = 0; token < trace.tokenCount(); ++token) {
        const auto& record = trace.token(token);
        const auto box = o.window->page()->flow()->boxAt(token);
        QCOMPARE(box.depth, QString::number(record.depth));
        QCOMPARE(box.prompt, record.prompt);
        QCOMPARE(box.text, flowText(QString::fromStdString(record.piece), QString::fromStdString(record.label)));
        depths += record.depth;
        for (int r = 0; r < 3; ++r) taken[static_cast<std::size_t>(r)] += r < record.depth;
    }
    const auto lanes = o.window->page()->routing()->flow().lanes;
    QCOMPARE(lanes.front().taken, trace.tokenCount());
    for (std::size_t r = 0; r < 3; ++r) QCOMPARE(lanes[r + 1].taken, taken[r]);
    auto* chart = o.window->page()->kv()->chart();
    const auto& kv = trace.token(trace.tokenCount() - 1).kv;
    QTRY_COMPARE(chart->vanillaLine().back().y(), static_cast<double>(kv.vanilla) / chart->unitDivisor());
    double sum = 0;
    for (int layer = 0; layer < chart->layers(); ++layer) {
        sum += static_cast<double>(kv.used[static_cast<std::size_t>(layer)]);
        QCOMPARE(chart->upperEdge(layer).back().y(), sum / chart->unitDivisor());
    }
    const auto mean = figuresOf(trace.trace()).meanDepth;
    QVERIFY(mean.has_value());
    QCOMPARE(*mean, static_cast<double>(depths) / trace.tokenCount());
}

void WindowTest::hoveringLinksTheViews() {
    Opened o(kTrained, "And the king of Israel went down to the river", 8);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    auto* heatmap = o.window->page()->heatmap();
    auto* flow = o.window->page()->flow();
    QTest::mouseMove(heatmap->viewport(), heatmap->cellRect(4, 0).center().toPoint());
    QTRY_COMPARE(o.window->selection().hovered(), 4);
    QCOMPARE(o.window->page()->detail()->shownToken(), 4);
    QTest::mouseMove(flow->viewport(), flow->viewportRect(2).center().toPoint());
    QTRY_COMPARE(o.window->selection().hovered(), 2);
    QTest::mouseClick(flow->viewport(), Qt::LeftButton, {}, flow->viewportRect(3).center().toPoint());
    QCOMPARE(o.window->selection().pinned(), 3);
    QTest::keyClick(flow, Qt::Key_Right);
    QCOMPARE(o.window->selection().pinned(), 4);
}

void WindowTest::generatesByMouse() {
    Opened o(kModel, "1, 2, 3", 6);
    QVERIFY(o.waitFor(EngineState::Ready));
    QTest::mouseClick(o.button("primary"), Qt::LeftButton);
    QVERIFY(o.waitForTokens(9));
    QVERIFY(o.waitFor(EngineState::Ready));
    QCOMPARE(o.window->trace().token(2).token, 3);
}

void WindowTest::stepsThenGoesOn() {
    Opened o(kModel, "1 2 3", 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->controls()->temperature()->setValue(0);
    QTest::mouseClick(o.button("nextToken"), Qt::LeftButton);  // the prompt
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->trace().tokenCount(), 3);
    QTest::mouseClick(o.button("nextToken"), Qt::LeftButton);
    QVERIFY(o.waitForTokens(4));
    QTest::keyClick(o.window.get(), Qt::Key_Right, Qt::AltModifier);
    QVERIFY(o.waitForTokens(5));
    QVERIFY(o.waitFor(EngineState::Ready));  // the limit
    QTest::keyClick(o.window.get(), Qt::Key_Right, Qt::AltModifier);
    QVERIFY(o.waitForTokens(6));  // and one more
    QCOMPARE(o.window->trace().header().prompt_tokens, 3);
}

void WindowTest::recursionsFillAColumn() {
    Opened o(kModel, "5", 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    QTest::mouseClick(o.button("nextRecursion"), Qt::LeftButton);
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->trace().tokenCount(), 0);
    QCOMPARE(o.window->trace().extent(), 1);  // a column that is not finished
    QCOMPARE(o.window->trace().trace().passes.size(), std::size_t{1});
}

void WindowTest::pausesBySpace() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(8));
    QTest::keyClick(o.window->page()->flow(), Qt::Key_Space);
    QVERIFY(o.waitFor(EngineState::Paused));
    QCOMPARE(o.window->actions().pause->text(), "Resume");
    const int tokens = o.window->trace().tokenCount();
    QTest::keyClick(o.window->page()->flow(), Qt::Key_Space);
    QVERIFY(o.waitForTokens(tokens + 2));
}

void WindowTest::spaceTypesInThePrompt() {
    Opened o(kTrained, "And", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(4));
    QPlainTextEdit* edit = o.window->promptBox()->edit();
    edit->setFocus();
    edit->moveCursor(QTextCursor::End);
    QTest::keyClick(edit, Qt::Key_Space);
    QCOMPARE(o.window->promptBox()->text(), "And ");
    QCOMPARE(o.window->feed().state(), EngineState::Running);
}

void WindowTest::stopsByEscape() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(8));
    QElapsedTimer clock;
    clock.start();
    QTest::keyClick(o.window.get(), Qt::Key_Escape);
    QVERIFY(o.waitFor(EngineState::Ready));
    qInfo() << "Stop answered after" << clock.elapsed() << "ms";
    QVERIFY(clock.elapsed() < 2000);
    QVERIFY(o.window->trace().tokenCount() < 400);
    QVERIFY(o.window->statusLine()->text().startsWith("Stopped"));
    QVERIFY(!o.window->actions().stop->isEnabled());
    QVERIFY(o.window->actions().generate->isEnabled());
}

void WindowTest::closesWhileGenerating() {
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(4));
    QElapsedTimer clock;
    clock.start();
    QVERIFY(o.window->close());
    o.window.reset();
    QVERIFY(clock.elapsed() < 2000);
}

void WindowTest::closesWhileLoading() {
    Opened o(kTrained, "And", 10);
    QVERIFY(o.window->close());
    o.window.reset();
    QCoreApplication::processEvents();
    QVERIFY(QApplication::topLevelWidgets().isEmpty() || !QApplication::activeModalWidget());
}

void WindowTest::emptyPromptIsSaid() {
    Opened o(kTrained, "  \n", 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.window->errorBar()->isVisible());
    QVERIFY(o.window->errorBar()->sentence().contains("prompt is empty"));
    QTest::mouseClick(o.button("dismiss"), Qt::LeftButton);
    QVERIFY(o.window->errorBar()->isHidden());
    QVERIFY(!o.window->trace().hasRun());
}

void WindowTest::idsAreChecked() {
    Opened o(kModel, "some text", 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.window->errorBar()->sentence().contains("token ids such as 1, 2, 3"));
    o.window->promptBox()->setText("1, 4000");
    o.window->actions().generate->trigger();
    QTRY_VERIFY(o.window->errorBar()->sentence().contains("4000"));
    o.window->promptBox()->setText("1, 40");
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(6));
    QVERIFY(o.window->errorBar()->isHidden());
}

void WindowTest::badModelIsSaid() {
    QTemporaryDir empty;
    Opened o(kModel, "1", 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    const QString title = o.window->findChild<ModelChooser*>()->title();
    o.window->openModel(empty.path());
    QVERIFY(QTest::qWaitFor([&] { return o.window->errorBar()->isVisible(); }, kPatience));
    QVERIFY2(o.window->errorBar()->sentence().contains(empty.path()), qPrintable(o.window->errorBar()->sentence()));
    QVERIFY(o.window->errorBar()->sentence().contains("choose another model"));
    QCOMPARE(o.window->findChild<ModelChooser*>()->title(), title);  // the one before is still there
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(3));
}

void WindowTest::tooLongPromptIsSaid() {
    Opened o(kModel, QString("1 ").repeated(300), 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->errorBar()->isVisible(); }, kPatience));
    QVERIFY2(o.window->errorBar()->sentence().contains("256"), qPrintable(o.window->errorBar()->sentence()));
    QCOMPARE(o.window->feed().state(), EngineState::Ready);
}

namespace {

/// Records a short run and returns the file.
QString recordedRun(const QTemporaryDir& folder) {
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

}  // namespace

void WindowTest::opensTraceWithoutModel() {
    QTemporaryDir folder;
    const QString file = recordedRun(folder);
    Opened o({});
    o.window->openTrace(file);
    QCOMPARE(o.window->trace().tokenCount(), 14);
    QVERIFY(o.window->statusLine()->text().contains("run.mortrace"));
    QCOMPARE(o.window->feed().state(), EngineState::NoModel);
    for (int token = 0; token < 14; ++token)
        for (int recursion = 0; recursion < 3; ++recursion) compareCell(*o.window, token, recursion);
    QVERIFY(o.window->actions().savePicture->isEnabled());
    QVERIFY(!o.window->actions().generate->isEnabled());
}

void WindowTest::brokenTraceIsSaid() {
    QTemporaryDir folder;
    QFile file(folder.filePath("broken.mortrace"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"type\":\"nonsense\"}\n{}\n");
    file.close();
    Opened o({});
    o.window->open(file.fileName());
    QVERIFY(o.window->errorBar()->sentence().contains("broken.mortrace"));
    o.window->open(folder.filePath("missing.mortrace"));
    QVERIFY(o.window->errorBar()->sentence().contains("missing.mortrace"));
    QVERIFY(!o.window->trace().hasRun());
}

void WindowTest::dropsAreOpened() {
    QTemporaryDir folder;
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(recordedRun(folder))});
    Opened o({});
    QDragEnterEvent enter({100, 100}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(o.window.get(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop({100, 100}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(o.window.get(), &drop);
    QCOMPARE(o.window->trace().tokenCount(), 14);
    QMimeData model;
    model.setUrls({QUrl::fromLocalFile(kModel)});
    QDragEnterEvent enterModel({100, 100}, Qt::CopyAction, &model, Qt::LeftButton, {});
    QApplication::sendEvent(o.window.get(), &enterModel);
    QDropEvent dropModel({100, 100}, Qt::CopyAction, &model, Qt::LeftButton, {});
    QApplication::sendEvent(o.window.get(), &dropModel);
    QVERIFY(o.waitFor(EngineState::Ready));
}

void WindowTest::traceReplacesALiveRun() {
    QTemporaryDir folder;
    const QString file = recordedRun(folder);
    Opened o(kTrained, "And it came to pass", 400);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.waitForTokens(6));
    o.window->openTrace(file);
    QVERIFY(o.waitFor(EngineState::Ready));
    QTest::qWait(100);
    QCOMPARE(o.window->trace().tokenCount(), 14);  // nothing of the live run came after it
    o.window->actions().generate->trigger();       // and the next run replaces the trace
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().header().prompt == "And it came to pass"; }, kPatience));
}

void WindowTest::themesSwitch() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const QColor light = o.window->grab().toImage().pixelColor(3, 400);
    QCOMPARE(light, frameOf(Appearance::Light).ground);
    o.window->actions().appearance->actions()[2]->trigger();
    QCoreApplication::processEvents();
    QCOMPARE(o.window->page()->theme().appearance, Appearance::Dark);
    QCOMPARE(o.window->grab().toImage().pixelColor(3, 400), frameOf(Appearance::Dark).ground);
    o.window->actions().appearance->actions()[1]->trigger();
    QCoreApplication::processEvents();
    QCOMPARE(o.window->grab().toImage().pixelColor(3, 400), light);
}

void WindowTest::colourMapsSwitch() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    for (const auto map : {ColourMap::Viridis, ColourMap::Grey, ColourMap::Cividis}) {
        o.window->actions().colourMap->actions()[static_cast<int>(map)]->trigger();
        QCOMPARE(o.window->page()->theme().map, map);
        for (int token = 0; token < 14; ++token)
            for (int recursion = 0; recursion < 3; ++recursion) compareCell(*o.window, token, recursion);
    }
    o.window->actions().colourBy->actions()[1]->trigger();
    QCOMPARE(o.window->page()->heatmap()->colourBy(), ColourBy::Score);
}

void WindowTest::presentationHidesControls() {
    Opened o({});
    o.window->actions().presentation->trigger();
    QVERIFY(!o.window->promptBox()->isVisible());
    QCOMPARE(o.window->page()->theme().scale, 1.6);
    o.window->actions().presentation->trigger();
    QVERIFY(o.window->promptBox()->isVisible());
    QCOMPARE(o.window->page()->theme().scale, 1.0);
}

void WindowTest::fitsSmallScreens() {
    Opened o(kTrained, "And", 3);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->resize(1280, 720);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->size(), QSize(1280, 720));
    QVERIFY2(o.window->minimumSizeHint().width() <= 1280, qPrintable(QString::number(o.window->minimumSizeHint().width())));
}

void WindowTest::actionsAreDocumented() {
    Opened o({});
    QMap<QString, QString> shortcuts;
    const auto actions = o.window->actions();
    const QWidget* window = o.window.get();
    for (const QAction* action : window->QWidget::actions()) {
        QVERIFY2(!action->text().isEmpty() && !action->toolTip().isEmpty(), qPrintable(action->text()));
        const QString keys = action->shortcut().toString();
        if (keys.isEmpty()) continue;
        QVERIFY2(!shortcuts.contains(keys), qPrintable(keys + ": " + shortcuts[keys] + ", " + action->text()));
        shortcuts[keys] = action->text();
        QVERIFY(action->toolTip().contains(action->shortcut().toString(QKeySequence::NativeText)));
    }
    QVERIFY(shortcuts.size() >= 18);
    QCOMPARE(actions.stop->shortcut(), QKeySequence("Esc"));
}

void WindowTest::tableCopies() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const QStringList lines = tabSeparated(o.window->trace(), 0, 13).trimmed().split('\n');
    QCOMPARE(lines.size(), 15);
    for (const QString& line : lines) QCOMPARE(line.count('\t'), o.window->trace().columnCount() - 1);
    o.window->actions().showTable->trigger();
    QVERIFY(o.window->findChild<TableDialog*>() != nullptr);
}

void WindowTest::settingsComeBack() {
    QCoreApplication::setOrganizationName("morscope-test");
    QSettings().clear();
    Settings s;
    s.appearance = AppearanceChoice::Dark;
    s.colourMap = ColourMap::Viridis;
    s.run = {.sampling = {.temperature = 1.25f, .top_k = 7, .top_p = 0.5f, .seed = 99},
             .maxTokens = 33,
             .rule = mor::SelectionRule::TopK,
             .threshold = 0.25};
    s.prompt = "a prompt\nof two lines";
    s.lastModel = "/some/model";
    s.recentTraces = {"/a.mortrace", "/b.mortrace"};
    s.splitters["top"] = "xyz";
    writeSettings(s);
    const Settings r = readSettings();
    QCOMPARE(r.appearance, s.appearance);
    QCOMPARE(r.colourMap, s.colourMap);
    QCOMPARE(r.run.sampling.temperature, 1.25f);
    QCOMPARE(r.run.sampling.top_k, 7);
    QCOMPARE(r.run.sampling.top_p, 0.5f);
    QCOMPARE(r.run.sampling.seed, std::uint64_t{99});
    QCOMPARE(r.run.maxTokens, 33);
    QVERIFY(r.run.rule == mor::SelectionRule::TopK);
    QCOMPARE(r.run.threshold, 0.25);
    QCOMPARE(r.prompt, s.prompt);
    QCOMPARE(r.lastModel, s.lastModel);
    QCOMPARE(r.recentTraces, s.recentTraces);
    QCOMPARE(r.splitters, s.splitters);
}

void WindowTest::settingsAreChecked() {
    QCoreApplication::setOrganizationName("morscope-test");
    QSettings file;
    file.clear();
    file.setValue("run/temperature", "hot");
    file.setValue("run/top_k", 1e300);
    file.setValue("run/top_p", "nan");
    file.setValue("run/max_tokens", -5);
    file.setValue("run/threshold", 17);
    file.setValue("look/colour_map", "rainbow");
    file.setValue("window/splitters", "not a map");
    file.setValue("window/geometry", 12);
    const Settings s = readSettings();
    QCOMPARE(s.run.sampling.temperature, RunSettings{}.sampling.temperature);
    QCOMPARE(s.run.sampling.top_k, 1 << 20);
    QCOMPARE(s.run.sampling.top_p, 1.0f);
    QVERIFY(s.run.maxTokens >= 0);
    QVERIFY(s.run.threshold < 1);
    QCOMPARE(s.colourMap, ColourMap::Cividis);
    MainWindow window(s, {}, {});  // and nonsense in the geometry does no harm
    window.show();
    QVERIFY(window.isVisible());
}

void WindowTest::readsIds() {
    QVERIFY((parseTokenIds("1, 2,3") == std::vector<int>{1, 2, 3}));
    QVERIFY((parseTokenIds(" 7\n8 ") == std::vector<int>{7, 8}));
    for (const char* wrong : {"", " ", "x", "1 x", "-1", "1.5", "99999999999"}) QVERIFY2(!parseTokenIds(wrong), wrong);
}

void WindowTest::screenshots() {
    QTemporaryDir folder;
    const QString file = folder.filePath("shot.png");
    const auto shot = morscope({"--screenshot", file, "--model", kTrained, "--prompt", "The king", "--max-tokens", "6"});
    QVERIFY2(shot.code == 0, shot.err);
    QCOMPARE(QImage(file).size(), QSize(1280, 800));
    const auto dark =
        morscope({"--screenshot", file, "--model", kModel, "--dark", "--size", "900x700", "--view", "heatmap"});
    QVERIFY2(dark.code == 0, dark.err);
    const QImage image(file);
    QCOMPARE(image.size(), QSize(900, 700));
    QCOMPARE(image.pixelColor(2, 2), frameOf(Appearance::Dark).ground);
    const auto bad = morscope({"--screenshot", file, "--model", folder.path()});
    QCOMPARE(bad.code, 1);
    QVERIFY2(bad.err.contains(folder.path().toUtf8()), bad.err);
    const auto nowhere = morscope({"--screenshot", "/nonexistent/x.png", "--model", kModel, "--max-tokens", "1"});
    QCOMPARE(nowhere.code, 1);
    QVERIFY2(nowhere.err.contains("/nonexistent/x.png"), nowhere.err);
    const auto empty = morscope({"--screenshot", file, "--model", kTrained, "--prompt", ""});
    QCOMPARE(empty.code, 1);
    QVERIFY2(empty.err.contains("prompt is empty"), empty.err);
}

void WindowTest::exports_data() {
    QTest::addColumn<QString>("suffix");
    QTest::addColumn<QByteArray>("begins");
    QTest::newRow("png") << "png" << QByteArray("\x89PNG");
    QTest::newRow("pdf") << "pdf" << QByteArray("%PDF-");
    QTest::newRow("svg") << "svg" << QByteArray("<?xml");
}

void WindowTest::exports() {
    QFETCH(QString, suffix);
    QFETCH(QByteArray, begins);
    QTemporaryDir folder;
    const QString trace = recordedRun(folder);
    const QString out = folder.filePath("picture." + suffix);
    const auto result = morscope({"--export", out, trace, "--size", "1440x900"});
    QVERIFY2(result.code == 0, result.err);
    QFile file(out);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray content = file.readAll();
    QVERIFY(content.startsWith(begins));
    QVERIFY(content.size() > 4000);
    if (suffix == "png") QCOMPARE(QImage(out).size(), QSize(1440, 900));
    if (suffix == "svg") QVERIFY(content.contains("Depth heatmap"));
}

void WindowTest::refusesArguments_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("part");
    QTest::newRow("unknown option") << QStringList{"--frobnicate"} << 2 << "--frobnicate";
    QTest::newRow("not a png") << QStringList{"--screenshot", "x.jpg"} << 2 << ".png";
    QTest::newRow("no format") << QStringList{"--export", "x", "y"} << 2 << ".svg";
    QTest::newRow("no trace") << QStringList{"--export", "x.png"} << 2 << "TRACE";
    QTest::newRow("size") << QStringList{"--screenshot", "x.png", "--size", "huge"} << 2 << "WxH";
    QTest::newRow("too large") << QStringList{"--screenshot", "x.png", "--size", "99999x10"} << 2 << "--size width";
    QTest::newRow("view") << QStringList{"--screenshot", "x.png", "--view", "moon"} << 2 << "heatmap";
    QTest::newRow("stray prompt") << QStringList{"--prompt", "x"} << 2 << "--screenshot";
    QTest::newRow("two models") << QStringList{kModel, kTrained} << 2 << "one model";
    QTest::newRow("missing trace") << QStringList{"--export", "x.png", "/nonexistent.mortrace"} << 1
                                   << "/nonexistent.mortrace";
}

void WindowTest::refusesArguments() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, part);
    const auto result = morscope(arguments);
    QVERIFY2(result.code == code, result.err);
    QVERIFY2(result.err.contains("morscope: ") && result.err.contains(part.toUtf8()), result.err);
}

QTEST_MAIN(WindowTest)
#include "tst_window.moc"
