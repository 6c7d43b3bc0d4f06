// SPDX-License-Identifier: GPL-3.0-or-later
// Every model that comes with the program, opened and run in the window: each draws what its kind has, and says what it
// has not. With MOR_SCREENSHOT_DIR set, also pictures of each, for people to look at.
#include <QApplication>
#include <QLocale>
#include <QPainter>
#include <QStyleFactory>
#include <QTemporaryDir>

#include "gui/controls/prompt_box.hpp"
#include "gui/controls/sample_prompt.hpp"
#include "models/figures.hpp"
#include "models/rule_overlay.hpp"
#include "models/threshold_estimate.hpp"
#include "ui/opened_window.hpp"
#include "views/kit/mode_switch.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_slot_view.hpp"
#include "views/kv/kv_view.hpp"
#include "views/routing/routing_view.hpp"

using namespace mor::test;

class BundledTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void opensAndDraws_data();
    void opensAndDraws();
    void picturesForTheReadme();

private:
    void takePictures(MainWindow&, const QString& name);
};

void BundledTest::initTestCase() {
    QLocale::setDefault(QLocale(QLocale::English));
    QApplication::setStyle(QStyleFactory::create("Fusion"));
}

void BundledTest::opensAndDraws_data() {
    QTest::addColumn<QString>("directory");
    for (const auto& model : mor::list_models(MOR_MODELS_DIR))
        QTest::newRow(model.directory.filename().c_str()) << QString::fromStdString(model.directory.string());
    QVERIFY(QFile::exists(MOR_MODELS_DIR));
}

void BundledTest::opensAndDraws() {
    QFETCH(QString, directory);
    Opened o(directory, kSamplePrompt, 40);
    QVERIFY(o.waitFor(EngineState::Ready));
    const auto card = mor::describe_model(directory.toStdString());
    QVERIFY2(!card.prompt.empty(), "card.json names no prompt");
    QCOMPARE(o.window->promptBox()->text(), QString::fromStdString(card.prompt));
    const auto* chooser = o.window->findChild<QToolButton*>(QStringLiteral("modelChooser"));
    QTRY_VERIFY2(!chooser->text().contains(QChar(0x2026)), qPrintable(chooser->text()));  // its name whole
    o.window->actions().generate->trigger();
    QVERIFY(QTest::qWaitFor([&] { return o.window->trace().hasRun() && o.window->feed().state() == EngineState::Ready; },
                            kPatience));
    const TraceModel& trace = o.window->trace();
    QVERIFY(trace.tokenCount() > trace.header().prompt_tokens);
    const auto& mor = trace.header().config.mor;
    const auto* page = o.window->page();
    QCOMPARE(trace.recursions(), mor.sharing == mor::Sharing::None ? 0 : mor.num_recursion);
    // What a kind has not is said, never drawn as if it were there.
    if (trace.recursions() == 0) {
        QVERIFY(page->routing()->description().contains("no recursions"));
        QVERIFY(page->heatmap()->description().contains("no recursions"));
        QVERIFY(page->heatmap()->caption().contains("no recursions"));
        QVERIFY(page->routing()->caption().contains("no recursions"));
    } else if (!trace.isRouted()) {
        QVERIFY(page->routing()->caption().contains("no router"));
        QCOMPARE(figuresOf(trace.trace()).meanDepth, double{mor.num_recursion});
    }
    for (const auto& view : page->views()) {
        QVERIFY2(!view.made.picture->description().isEmpty(), qPrintable(view.name()));
        const QImage image = view.made.widget->grab().toImage();
        const QRgb ground = image.pixel(1, 1);
        bool drawn = false;
        for (int y = 0; y < image.height() && !drawn; ++y)
            for (int x = 0; x < image.width() && !drawn; ++x) drawn = image.pixel(x, y) != ground;
        QVERIFY2(drawn, qPrintable(view.name()));
    }
    takePictures(*o.window, QFileInfo(directory).fileName());
}

/// Both palettes, two sizes; the KV cache's and the costs' other pictures in the larger one.
void BundledTest::takePictures(MainWindow& window, const QString& name) {
    const auto folder = qEnvironmentVariable("MOR_SCREENSHOT_DIR");
    if (folder.isEmpty()) return;
    for (const bool dark : {false, true})
        for (const QSize size : {QSize(1280, 800), QSize(1920, 1080)}) {
            const bool large = size.width() > 1280;
            window.actions().appearance->actions()[dark ? 2 : 1]->trigger();
            window.resize(size);
            window.findChild<ModeSwitch*>("kvMode")->setMode(large ? 2 : 0);
            window.findChild<ModeSwitch*>("computeMode")->setMode(large ? 2 : 0);
            window.page()->finishDrawing();
            QCoreApplication::processEvents();
            QTest::qWait(150);
            const QString file = QStringLiteral("%1/%2-%3%4%5.png").arg(folder, name).arg(size.width());
            QVERIFY(window.grab().save(file.arg(dark ? "-dark" : "", "")));
            if (!large || !window.actions().compareRules->isEnabled()) continue;
            window.actions().compareRules->trigger();
            QVERIFY(QTest::qWaitFor([&] { return window.page()->overlay()->isActive(); }, kPatience));
            QTest::qWait(150);
            QVERIFY(window.grab().save(file.arg(dark ? "-dark" : "", "-leak")));
            window.actions().compareRules->trigger();
        }
}

namespace {

/// A run to its end, by default of the model's own prompt.
std::unique_ptr<Opened> finishedRun(const char* model, int tokens, const QSize& size) {
    auto o = std::make_unique<Opened>(QStringLiteral(MOR_MODELS_DIR "/") + model, kSamplePrompt, tokens);
    o->window->resize(size);
    if (!o->waitFor(EngineState::Ready)) return o;
    o->window->actions().generate->trigger();
    (void)QTest::qWaitFor([&] { return o->window->trace().hasRun() && o->window->feed().state() == EngineState::Ready; },
                          kPatience);
    o->window->page()->finishDrawing();
    QTest::qWait(150);
    return o;
}

/// The newest word that went all the way, a few tokens before the end.
int deepWord(const TraceModel& trace) {
    int token = trace.tokenCount() - 4;
    while (token > 0 && (trace.token(token).depth < trace.recursions() || trace.token(token).text.size() < 4)) --token;
    return token;
}

}  // namespace

/// The three pictures of README.md, drawn anew into $MOR_PICTURES_DIR.
void BundledTest::picturesForTheReadme() {
    const auto folder = qEnvironmentVariable("MOR_PICTURES_DIR");
    if (folder.isEmpty()) QSKIP("MOR_PICTURES_DIR is not set");
    const QString file = folder + QStringLiteral("/%1.png");
    const auto run = finishedRun("prose-expert-r3", 60, {1440, 900});
    QVERIFY(run->window->trace().tokenCount() > 20);
    run->window->selection().togglePin(deepWord(run->window->trace()));
    QCoreApplication::processEvents();
    QVERIFY(run->window->grab().save(file.arg("morscope")));
    run->window->selection().clear();

    // Scores of an auxiliary router are spread wider, so that another threshold says more.
    const auto spread = finishedRun("prose-expert-r3-auxrouter", 60, {1440, 900});
    spread->window->page()->estimate()->setThreshold(0.85);
    spread->window->page()->updateCaptions();
    const auto* page = run->window->page();
    QImage whatIf(1120, 500, QImage::Format_RGB32);
    QPainter painter(&whatIf);
    const auto* asked = spread->window->page();
    painter.fillRect(whatIf.rect(), asked->theme().frame().ground);
    asked->drawView(painter, *asked->view(QStringLiteral("routing")), QRectF(whatIf.rect()).adjusted(14, 14, -14, -14));
    painter.end();
    QVERIFY(whatIf.save(file.arg("what-if")));

    // The same prompt where every recursion keeps its own entries, and where all read those of the first.
    const auto shared = finishedRun("prose-expert-r3-kvshare", 60, {1440, 900});
    QImage map(1120, 480, QImage::Format_RGB32);
    QPainter both(&map);
    map.fill(page->theme().frame().ground);
    const auto draw = [&](const TracePage& one, const QString& title, double top) {
        const QRectF inner =
            Panel::drawInto(both, one.theme(), {8, top, 1104, 228}, title,
                            QStringLiteral("%1 %2").arg(one.kv()->chart()->savedText(), "against vanilla"));
        one.kv()->slotMap()->drawInto(both, inner);
    };
    draw(*page, QStringLiteral("Recursion-wise caching"), 8);
    draw(*shared->window->page(), QStringLiteral("Recursive sharing"), 244);
    both.end();
    QVERIFY(map.save(file.arg("kv-slots")));
}

QTEST_MAIN(BundledTest)
#include "tst_bundled.moc"
