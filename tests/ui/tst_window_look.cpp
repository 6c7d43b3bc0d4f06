// SPDX-License-Identifier: GPL-3.0-or-later
// What the window looks like: themes, presentation, sizes, keys, and what it remembers.
#include <QApplication>
#include <QImage>
#include <QMenu>
#include <QSettings>
#include <QStyleFactory>
#include <algorithm>

#include "gui/controls/header_bar.hpp"
#include "gui/controls/model_chooser.hpp"
#include "gui/controls/prompt_box.hpp"
#include "models/threshold_estimate.hpp"
#include "ui/opened_window.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_view.hpp"
#include "views/text/token_flow_view.hpp"
#include "views/time/play_bar.hpp"

using namespace mor::test;

class WindowLookTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void themesSwitch();
    void colourMapsSwitch();
    void presentationHidesControls();
    void oneViewAlone_data();
    void oneViewAlone();
    void layoutComesBack_data();
    void layoutComesBack();
    void viewsHaveKeys();
    void presentationFitsTheScreen();
    void keysEnlargeTheFocusedView();
    void fitsSmallScreens();
    void actionsAreDocumented();
    void settingsComeBack();
    void settingsAreChecked();
    void readsIds();
    void screenshots();
};

void WindowLookTest::initTestCase() { QApplication::setStyle(QStyleFactory::create("Fusion")); }

void WindowLookTest::themesSwitch() {
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

void WindowLookTest::colourMapsSwitch() {
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

void WindowLookTest::presentationHidesControls() {
    Opened o({});
    o.window->actions().presentation->trigger();
    QVERIFY(!o.window->promptBox()->isVisible());
    QCOMPARE(o.window->page()->theme().scale, 1.6);
    o.window->actions().presentation->trigger();
    QVERIFY(o.window->promptBox()->isVisible());
    QCOMPARE(o.window->page()->theme().scale, 1.0);
}

void WindowLookTest::oneViewAlone_data() {
    QTest::addColumn<QString>("name");
    for (const QString& name : viewNames()) QTest::newRow(qPrintable(name)) << name;
}

void WindowLookTest::oneViewAlone() {
    QFETCH(QString, name);
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const auto* page = o.window->page();
    const auto* view = page->view(name);
    const QSize before = view->panel->size();
    o.window->selection().togglePin(3);
    QTest::mouseClick(view->panel->enlargeButton(), Qt::LeftButton);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->page()->enlarged(), name);
    for (const auto& one : page->views()) QCOMPARE(one.panel->isVisible(), one.name() == name);
    QCOMPARE(view->panel->size(), o.window->page()->size());
    QCOMPARE(o.window->page()->theme().scale, 1.6);
    QVERIFY(!o.window->promptBox()->isVisible());
    QVERIFY(!o.window->playBar()->isVisible());
    const auto layout = o.window->page()->layoutState();  // what is remembered is the layout of all
    QTest::keyClick(view->panel->content(), Qt::Key_Escape);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->page()->enlarged(), QString());
    for (const auto& one : page->views()) QVERIFY(one.panel->isVisible());
    QCOMPARE(view->panel->size(), before);
    QCOMPARE(o.window->page()->layoutState(), layout);
    QCOMPARE(o.window->selection().pinned(), 3);  // Esc went back, and no further
    QVERIFY(o.window->promptBox()->isVisible());
}

void WindowLookTest::layoutComesBack_data() {
    QTest::addColumn<QList<int>>("keys");
    QTest::addColumn<QSize>("screen");
    for (const QSize screen : {QSize(1920, 1080), QSize(1280, 800), QSize(2560, 1440)}) {
        const auto row = [&](const char* name, const QList<int>& keys) {
            QTest::addRow("%s, %d", name, screen.width()) << keys << screen;
        };
        row("F11, F5 and back", {Qt::Key_F11, Qt::Key_F5, Qt::Key_F5, Qt::Key_F11});
        row("F11, F5, back by Esc", {Qt::Key_F11, Qt::Key_F5, Qt::Key_Escape, Qt::Key_Escape});
        row("F5 only", {Qt::Key_F5, Qt::Key_F5});
        row("a view alone in between", {Qt::Key_F11, Qt::Key_F5, Qt::Key_F6, Qt::Key_F6, Qt::Key_F5, Qt::Key_F11});
    }
}

/// Full screen is a screen of that size; afterwards the window is as it was, and so is everything in it.
void WindowLookTest::layoutComesBack() {
    QFETCH(QList<int>, keys);
    QFETCH(QSize, screen);
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    QVERIFY(QTest::qWaitForWindowActive(o.window.get()));
    o.window->resize(1440, 900);
    QCoreApplication::processEvents();
    const auto sizes = [&] {
        QList<QSize> all;
        for (const auto& view : o.window->page()->views()) all += view.panel->size();
        return all;
    };
    const auto before = sizes();
    o.window->page()->flow()->setFocus();
    for (const int key : keys) {
        QTest::keyClick(o.window->focusWidget() ? o.window->focusWidget() : o.window.get(), static_cast<Qt::Key>(key));
        QCoreApplication::processEvents();
        if (o.window->isFullScreen()) o.window->resize(screen);
        QCoreApplication::processEvents();
    }
    QVERIFY(!o.window->isFullScreen());
    o.window->resize(1440, 900);
    QCoreApplication::processEvents();
    const auto after = sizes();
    for (qsizetype i = 0; i < before.size(); ++i) {
        const auto off = after[i] - before[i];
        QVERIFY2(std::abs(off.width()) <= 2 && std::abs(off.height()) <= 2,
                 qPrintable(QStringLiteral("%1: %2 x %3 was %4 x %5")
                                .arg(o.window->page()->views()[static_cast<std::size_t>(i)].name())
                                .arg(after[i].width())
                                .arg(after[i].height())
                                .arg(before[i].width())
                                .arg(before[i].height())));
    }
}

/// The key that a view's row in the table names shows it alone, and brings all back.
void WindowLookTest::viewsHaveKeys() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    QVERIFY(QTest::qWaitForWindowActive(o.window.get()));
    for (const auto& description : viewDescriptions()) {
        const auto keys = description.shortcut[0];
        QTest::keyClick(o.window->focusWidget(), keys.key(), keys.keyboardModifiers());
        QCOMPARE(o.window->page()->enlarged(), description.name);
        QTest::keyClick(o.window->focusWidget(), keys.key(), keys.keyboardModifiers());
        QCOMPARE(o.window->page()->enlarged(), QString());
    }
}

/// Large type takes room: what a small screen has none for gives way, and the window stays as it is.
void WindowLookTest::presentationFitsTheScreen() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const auto* costs = o.window->page()->kv();
    const auto layout = o.window->page()->layoutState();
    o.window->actions().presentation->trigger();
    QCoreApplication::processEvents();
    QCOMPARE(o.window->size(), QSize(1280, 800));
    QVERIFY(!costs->isVisible());
    QVERIFY(o.window->page()->heatmap()->isVisible());
    o.window->resize(1920, 1080);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->size(), QSize(1920, 1080));
    QVERIFY(costs->isVisible());
    o.window->resize(1280, 800);
    QCoreApplication::processEvents();
    o.window->actions().back->trigger();
    QCoreApplication::processEvents();
    QVERIFY(costs->isVisible());
    o.window->resize(1280, 800);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->page()->layoutState().size(), layout.size());
}

void WindowLookTest::keysEnlargeTheFocusedView() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    o.window->page()->flow()->setFocus();
    o.window->actions().enlarge->trigger();
    QCOMPARE(o.window->page()->enlarged(), QString("text"));
    o.window->actions().enlarge->trigger();
    QCOMPARE(o.window->page()->enlarged(), QString());
    o.window->actions().presentation->trigger();
    o.window->actions().back->trigger();
    QVERIFY(!o.window->actions().presentation->isChecked());
    QVERIFY(o.window->header()->isVisible());
}

void WindowLookTest::fitsSmallScreens() {
    Opened o(kTrained, "And", 3);
    QVERIFY(o.waitFor(EngineState::Ready));
    o.window->resize(1280, 720);
    QCoreApplication::processEvents();
    QCOMPARE(o.window->size(), QSize(1280, 720));
    QVERIFY2(o.window->minimumSizeHint().width() <= 1280, qPrintable(QString::number(o.window->minimumSizeHint().width())));
}

void WindowLookTest::actionsAreDocumented() {
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
    QCOMPARE(actions.stop->shortcut(), QKeySequence("Ctrl+."));
    QCOMPARE(actions.back->shortcut(), QKeySequence("Esc"));
}

void WindowLookTest::settingsComeBack() {
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

void WindowLookTest::settingsAreChecked() {
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

void WindowLookTest::readsIds() {
    QVERIFY((parseTokenIds("1, 2,3") == std::vector<int>{1, 2, 3}));
    QVERIFY((parseTokenIds(" 7\n8 ") == std::vector<int>{7, 8}));
    for (const char* wrong : {"", " ", "x", "1 x", "-1", "1.5", "99999999999"}) QVERIFY2(!parseTokenIds(wrong), wrong);
}

/// Writes states that the views' own tests don't reach to $MOR_SCREENSHOT_DIR, for people to look at.
void WindowLookTest::screenshots() {
    const auto folder = qEnvironmentVariable("MOR_SCREENSHOT_DIR");
    if (folder.isEmpty()) QSKIP("MOR_SCREENSHOT_DIR is not set");
    const auto save = [&](QWidget& widget, const QString& name) {
        QCoreApplication::processEvents();
        QTest::qWait(150);
        QVERIFY(widget.grab().save(folder + '/' + name + ".png"));
    };
    Opened o({});
    save(*o.window, "first-empty");
    o.window->showDemo();
    save(*o.window, "first-demo");
    auto* menu = o.window->findChild<ModelChooser*>()->menu();
    menu->popup({14, 60});
    menu->setActiveAction(menu->actions()[2]);
    save(*menu, "chooser");
    menu->close();
    o.window->selection().togglePin(40);
    for (const QString& name : viewNames()) {
        emit o.window->page()->enlargeWanted(name);
        save(*o.window, "alone-" + name);
        o.window->actions().back->trigger();
    }
    o.window->actions().presentation->trigger();
    save(*o.window, "presentation-1280");
    o.window->resize(1920, 1080);
    save(*o.window, "presentation-1920");
    o.window->actions().back->trigger();
    o.window->page()->heatmap()->fit();
    o.window->page()->estimate()->setThreshold(0.9);
    save(*o.window, "estimate-1920");
}

QTEST_MAIN(WindowLookTest)
#include "tst_window_look.moc"
