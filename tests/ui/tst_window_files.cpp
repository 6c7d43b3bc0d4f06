// SPDX-License-Identifier: GPL-3.0-or-later
// Models, prompts and traces: opened, dropped, replaced, refused.
#include <QApplication>
#include <QDropEvent>
#include <QFile>
#include <QMenu>
#include <QMimeData>
#include <QSignalSpy>
#include <QStyleFactory>
#include <QTableView>
#include <utility>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/controls/model_entry.hpp"
#include "gui/controls/prompt_box.hpp"
#include "gui/controls/sample_prompt.hpp"
#include "gui/controls/status_line.hpp"
#include "gui/window/table_dialog.hpp"
#include "ui/opened_window.hpp"

using namespace mor::test;

class WindowFilesTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void emptyPromptIsSaid();
    void idsAreChecked();
    void tooLongPromptIsSaid();
    void badModelIsSaid();
    void opensTraceWithoutModel();
    void brokenTraceIsSaid();
    void dropsAreOpened();
    void traceReplacesALiveRun();
    void aLoadCanBeCancelled();
    void samplesFollowTheModel();
    void theChooserTellsModelsApart();
    void theChooserAnswersKeysAndMouse();
    void theTableIsLinked();
    void tableCopies();
};

void WindowFilesTest::initTestCase() { QApplication::setStyle(QStyleFactory::create("Fusion")); }

void WindowFilesTest::emptyPromptIsSaid() {
    Opened o(kTrained, "  \n", 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(o.window->errorBar()->isVisible());
    QVERIFY(o.window->errorBar()->sentence().contains("prompt is empty"));
    QTest::mouseClick(o.button("dismiss"), Qt::LeftButton);
    QVERIFY(o.window->errorBar()->isHidden());
    QVERIFY(!o.window->trace().hasRun());
}

void WindowFilesTest::idsAreChecked() {
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

void WindowFilesTest::tooLongPromptIsSaid() {
    Opened o(kModel, QString("1 ").repeated(300), 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->errorBar()->isVisible(); }, kPatience));
    QVERIFY2(o.window->errorBar()->sentence().contains("256"), qPrintable(o.window->errorBar()->sentence()));
    QCOMPARE(o.window->feed().state(), EngineState::Ready);
}

void WindowFilesTest::badModelIsSaid() {
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

void WindowFilesTest::opensTraceWithoutModel() {
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

void WindowFilesTest::brokenTraceIsSaid() {
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

void WindowFilesTest::dropsAreOpened() {
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

void WindowFilesTest::traceReplacesALiveRun() {
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

void WindowFilesTest::aLoadCanBeCancelled() {
    Opened o(kModel, "1", 2);
    QVERIFY(o.waitFor(EngineState::Ready));
    auto* chooser = o.window->findChild<ModelChooser*>();
    const QString title = chooser->title();
    QSignalSpy failed(&o.window->feed(), &Feed::loadFailed);
    bool seen = false;
    const auto watch = connect(&o.window->feed(), &Feed::stateChanged, this, [&](EngineState state) {
        if (state != EngineState::Loading || std::exchange(seen, true)) return;
        QCOMPARE(o.window->actions().stop->text(), QString("Cancel"));
        QVERIFY(o.window->actions().stop->isEnabled());
        QVERIFY2(chooser->title().startsWith("Loading prose-expert-r3"), qPrintable(chooser->title()));
        o.window->actions().stop->trigger();
    });
    o.window->openModel(kTrained);
    QVERIFY(QTest::qWaitFor([&] { return seen; }, kPatience));
    QVERIFY(o.waitFor(EngineState::Ready));
    QCOMPARE(o.window->actions().stop->text(), QString("Stop"));
    disconnect(watch);
    // The engine's thread may have been quicker than the news of it: then again, until the answer comes in time.
    for (int attempt = 0; attempt < 50 && failed.isEmpty(); ++attempt) {
        o.window->openModel(kModel);
        QVERIFY(QTest::qWaitFor([&] { return chooser->title() == title; }, kPatience));
        QVERIFY(o.waitFor(EngineState::Ready));
        o.window->openModel(kTrained);
        o.window->feed().cancelLoad();
        QVERIFY(QTest::qWaitFor([&] { return !failed.isEmpty() || chooser->title().startsWith("Prose"); }, kPatience));
    }
    QCOMPARE(failed.size(), 1);
    QVERIFY(o.waitFor(EngineState::Ready));
    QCOMPARE(failed[0][0].toString(), QString());
    QVERIFY(o.window->errorBar()->isHidden());
    QCOMPARE(chooser->title(), title);
    o.window->actions().generate->trigger();  // the model before is still there
    QVERIFY(o.waitForTokens(3));
}

void WindowFilesTest::samplesFollowTheModel() {
    Opened o(kTrained, kSamplePrompt, 4);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->openModel(kModel);
    QVERIFY(QTest::qWaitFor([&] { return o.window->promptBox()->text() == kSampleIds; }, kPatience));
    o.window->openModel(kTrained);
    QVERIFY(QTest::qWaitFor([&] { return o.window->promptBox()->text() == kSamplePrompt; }, kPatience));
    o.window->promptBox()->setText("mine");
    o.window->openModel(kModel);
    QVERIFY(
        QTest::qWaitFor([&] { return o.window->promptBox()->edit()->placeholderText().contains("token ids"); }, kPatience));
    QCOMPARE(o.window->promptBox()->text(), QString("mine"));
}

void WindowFilesTest::theChooserTellsModelsApart() {
    Opened o({});
    const auto* menu = o.window->findChild<ModelChooser*>()->menu();
    const auto models = mor::list_models(MOR_MODELS_DIR);
    const auto entries = menu->actions();
    QVERIFY(entries.size() >= static_cast<qsizetype>(models.size()));
    for (std::size_t i = 0; i < models.size(); ++i) {
        const auto* entry = qobject_cast<ModelEntry*>(entries[static_cast<qsizetype>(i)]);
        QVERIFY(entry != nullptr);
        QCOMPARE(entry->text(), QString::fromStdString(models[i].name));
        QCOMPARE(entry->kind(), QString::fromStdString(models[i].kind));
        QCOMPARE(entry->toolTip(), QString::fromStdString(models[i].summary));
        QVERIFY2(!entry->toolTip().isEmpty() && !entry->kind().isEmpty(), qPrintable(entry->text()));
    }
}

void WindowFilesTest::theChooserAnswersKeysAndMouse() {
    Opened o({});
    auto* menu = o.window->findChild<ModelChooser*>()->menu();
    QSignalSpy chosen(o.window->findChild<ModelChooser*>(), &ModelChooser::chosen);
    menu->popup({10, 60});
    auto* first = qobject_cast<ModelEntry*>(menu->actions()[0]);
    QCOMPARE(menu->actionAt(menu->actionGeometry(first).center()), first);
    QVERIFY(menu->width() >= first->defaultWidget()->sizeHint().width());
    QTest::mouseClick(first->defaultWidget(), Qt::LeftButton);
    QCOMPARE(chosen.size(), 1);
    QCOMPARE(chosen[0][0].toString(), first->data().toString());
    QVERIFY(!menu->isVisible());
    menu->popup({10, 60});
    QTest::keyClick(menu, Qt::Key_Down);
    QTest::keyClick(menu, Qt::Key_Down);
    QTest::keyClick(menu, Qt::Key_Return);
    QCOMPARE(chosen.size(), 2);
    QCOMPARE(chosen[1][0].toString(), menu->actions()[1]->data().toString());
}

void WindowFilesTest::theTableIsLinked() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    o.window->actions().showTable->trigger();
    auto* table = o.window->findChild<TableDialog*>()->table();
    o.window->selection().setHovered(6);
    QCOMPARE(table->currentIndex().row(), 6);
    o.window->selection().setHovered(-1);
    table->setFocus();
    QTest::keyClick(table, Qt::Key_Down);
    QCOMPARE(o.window->selection().pinned(), 7);
    QTest::keyClick(table, Qt::Key_Up);
    QCOMPARE(o.window->selection().pinned(), 6);
    QCOMPARE(o.window->selection().secondPinned(), -1);
    o.window->selection().moveBy(3);
    QCOMPARE(table->currentIndex().row(), 9);
}

void WindowFilesTest::tableCopies() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const QStringList lines = tabSeparated(o.window->trace(), 0, 13).trimmed().split('\n');
    QCOMPARE(lines.size(), 15);
    for (const QString& line : lines) QCOMPARE(line.count('\t'), o.window->trace().columnCount() - 1);
    o.window->actions().showTable->trigger();
    QVERIFY(o.window->findChild<TableDialog*>() != nullptr);
}

QTEST_MAIN(WindowFilesTest)
#include "tst_window_files.moc"
