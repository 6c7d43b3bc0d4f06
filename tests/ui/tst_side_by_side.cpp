// SPDX-License-Identifier: GPL-3.0-or-later
// Two runs over the same text in one window: what B reads, what is linked, and what is said when it cannot be.
#include <QLocale>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QtCharts/QChart>
#include <QtCharts/QValueAxis>
#include <cmath>

#include "gui/controls/error_bar.hpp"
#include "gui/controls/run_controls.hpp"
#include "gui/window/comparison_window.hpp"
#include "ui/opened_window.hpp"
#include "ui/stage.hpp"
#include "views/comparison/comparison_view.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_view.hpp"

using namespace mor::test;

namespace {

QString bundled(const char* name) { return QStringLiteral(MOR_MODELS_DIR "/") + QString::fromLatin1(name); }

/// A window after a run of 12 prompt and decoded tokens or more, and one in which B has read them.
struct Pair {
    explicit Pair(const QString& a, const QString& b) : opened(a, QStringLiteral("The king said to his servant,"), 14) {
        if (!opened.waitFor(EngineState::Ready)) return;
        opened.window->actions().generate->trigger();
        if (!opened.waitForTokens(20) || !opened.waitFor(EngineState::Ready)) return;
        comparison = opened.window->compareWith(b);
        wait();
    }
    bool wait() const {
        return QTest::qWaitFor([this] { return comparison->isDone() || comparison->errorBar()->isVisible(); }, kPatience);
    }
    double ratio(double mor::RunFigures::*figure) const {
        const auto& c = *comparison->figures()->comparison();
        return c.b.*figure / c.a.*figure;
    }

    Opened opened;
    ComparisonWindow* comparison = nullptr;
};

double axisEnd(const KvView* view, Qt::Orientation orientation) {
    return qobject_cast<QValueAxis*>(view->chart()->chart()->axes(orientation).front())->max();
}

}  // namespace

class SideBySideTest : public QObject {
    Q_OBJECT

private slots:
    void figuresAreNeverCut();
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void theSameModelIsTheSame();
    void modelsReadTheSameText_data();
    void modelsReadTheSameText();
    void bothSidesAreLinked();
    void pointingKeepsColumnsTogether();
    void settingsOfBAreReadAgain();
    void figuresAreDrawn();
    void anotherVocabularyIsRefused();
    void aTraceMayBeB();
    void isOfferedWhenThereIsAText();
    void closesWhileItLoads();
};

void SideBySideTest::theSameModelIsTheSame() {
    const Pair pair(kTrained, kTrained);
    QVERIFY(pair.comparison && pair.comparison->isDone());
    const auto &a = pair.comparison->modelA(), &b = pair.comparison->modelB();
    QCOMPARE(b.tokenCount(), a.tokenCount());
    QCOMPARE(a.tokenCount(), pair.opened.window->trace().tokenCount());
    for (int i = 0; i < a.tokenCount(); ++i) {
        QCOMPARE(b.token(i).token, a.token(i).token);
        QCOMPARE(b.token(i).depth, a.token(i).depth);
        QCOMPARE(b.token(i).kv.used, a.token(i).kv.used);
    }
    QCOMPARE(pair.ratio(&mor::RunFigures::mean_depth), 1.0);
    QCOMPARE(pair.ratio(&mor::RunFigures::flops_per_token), 1.0);
    QVERIFY(std::abs(pair.ratio(&mor::RunFigures::nats_per_token) - 1) < 1e-4);
}

void SideBySideTest::modelsReadTheSameText_data() {
    QTest::addColumn<QString>("b");
    QTest::addColumn<bool>("hasDepths");
    QTest::newRow("vanilla") << bundled("prose-vanilla") << false;
    QTest::newRow("recursive") << bundled("prose-recursive-r3") << true;
    QTest::newRow("token choice") << bundled("prose-token-r3") << true;
    QTest::newRow("four recursions") << bundled("prose-expert-r4") << true;
    QTest::newRow("KV sharing") << bundled("prose-expert-r3-kvshare") << true;
    QTest::newRow("auxiliary router") << bundled("prose-expert-r3-auxrouter") << true;
}

void SideBySideTest::modelsReadTheSameText() {
    QFETCH(QString, b);
    QFETCH(bool, hasDepths);
    const Pair pair(kTrained, b);
    QVERIFY(pair.comparison && pair.comparison->isDone());
    const ComparisonWindow& window = *pair.comparison;
    QCOMPARE(window.modelB().tokenCount(), window.modelA().tokenCount());
    const auto& figures = *window.figures()->comparison();
    QCOMPARE(figures.tokens, window.modelA().tokenCount());
    QCOMPARE(figures.predicted, 14);  // what A decoded
    QCOMPARE(window.figures()->rows().size(), hasDepths ? 5 : 4);
    std::int64_t used = 0;
    for (const auto bytes : window.modelB().token(window.modelB().tokenCount() - 1).kv.used) used += bytes;
    QCOMPARE(figures.b.kv_used, used);
    // Two sides of a comparison have the same axes.
    for (const auto orientation : {Qt::Horizontal, Qt::Vertical})
        QCOMPARE(axisEnd(window.kvA(), orientation), axisEnd(window.kvB(), orientation));
    QVERIFY(window.heatmapA()->horizontalScrollBar()->value() == 0 &&
            window.heatmapB()->horizontalScrollBar()->value() == 0);
    if (const auto folder = qEnvironmentVariable("MOR_SCREENSHOT_DIR"); !folder.isEmpty()) {
        QTest::qWait(50);
        QVERIFY(pair.comparison->grab().save(folder + QStringLiteral("/side-by-side-%1.png").arg(QTest::currentDataTag())));
    }
}

void SideBySideTest::bothSidesAreLinked() {
    const Pair pair(kTrained, bundled("prose-expert-r4"));
    QVERIFY(pair.comparison && pair.comparison->isDone());
    ComparisonWindow& window = *pair.comparison;
    window.selectionA().setHovered(3);
    QCOMPARE(window.selectionB().hovered(), 3);
    window.selectionB().setHovered(-1);
    window.selectionB().togglePin(5);
    window.selectionB().togglePin(7);
    QCOMPARE(window.selectionA().pinned(), 5);
    QCOMPARE(window.selectionA().secondPinned(), 7);
    window.selectionA().clear();
    QVERIFY(!window.selectionB().marks().any());

    window.heatmapA()->setColumnWidth(60);
    QCOMPARE(window.heatmapB()->columnWidth(), 60.0);
    window.heatmapB()->setColumnWidth(64);
    QCOMPARE(window.heatmapA()->columnWidth(), 64.0);
    auto *a = window.heatmapA()->horizontalScrollBar(), *b = window.heatmapB()->horizontalScrollBar();
    QVERIFY(a->maximum() > 40);
    a->setValue(40);
    QCOMPARE(b->value(), 40);
    b->setValue(10);
    QCOMPARE(a->value(), 10);
    for (int r = 0; r < 3; ++r)
        QCOMPARE(window.heatmapA()->cellRect(2, r).left(), window.heatmapB()->cellRect(2, r).left());
}

/// The pointer goes over the columns that are cut at the edges, on either side: neither heatmap moves.
void SideBySideTest::pointingKeepsColumnsTogether() {
    const Pair pair(kTrained, bundled("prose-expert-r4"));
    QVERIFY(pair.comparison && pair.comparison->isDone());
    pair.opened.window->move(5000, 0);  // out of the way of the pointer
    auto *a = pair.comparison->heatmapA(), *b = pair.comparison->heatmapB();
    a->setColumnWidth(64);
    a->horizontalScrollBar()->setValue(37);
    QCOMPARE(b->horizontalScrollBar()->value(), 37);
    for (auto* view : {a, b}) {
        const double right = view->viewport()->width() - 140;
        glide(*view, {300, 40}, {86, 40});
        QVERIFY(pair.comparison->selectionA().hovered() >= 0);
        QCOMPARE(pair.comparison->selectionA().hovered(), pair.comparison->selectionB().hovered());
        glide(*view, {86, 40}, {right, 40});
        QCOMPARE(a->horizontalScrollBar()->value(), 37);
        QCOMPARE(b->horizontalScrollBar()->value(), 37);
    }
}

void SideBySideTest::settingsOfBAreReadAgain() {
    const Pair pair(kTrained, kTrained);
    QVERIFY(pair.comparison && pair.comparison->isDone());
    QSignalSpy finished(pair.comparison, &ComparisonWindow::finished);
    pair.comparison->controls()->whatIf()->depth()->setValue(1);
    QVERIFY(finished.wait(kPatience));
    const auto& c = *pair.comparison->figures()->comparison();
    QCOMPARE(c.b.mean_depth, 1.0);
    QVERIFY(c.a.mean_depth > 1.5);
    QVERIFY(c.b.flops_per_token < c.a.flops_per_token);
    QVERIFY(c.b.kv_used < c.a.kv_used);
    QVERIFY(std::isnan(c.depth_correlation));
    QVERIFY(pair.comparison->controls()->text().contains(QStringLiteral("depth 1")));
}

void SideBySideTest::figuresAreDrawn() {
    ComparisonView view;
    view.resize(340, 320);
    QVERIFY(view.rows().isEmpty() && view.description().isEmpty());
    mor::RunComparison c;
    c.tokens = 10;
    c.a.mean_depth = 2;
    c.b.mean_depth = 1.5;
    c.a.kv_used = 2048;
    c.b.kv_used = 1024;
    c.depths = {{0, 0, 1}, {3, 4, 2}};
    c.depth_correlation = -0.25;
    view.setComparison(c);
    const auto rows = view.rows();
    QCOMPARE(rows[0].ratio, QStringLiteral("× 0.75"));
    QCOMPARE(rows[1].a, QStringLiteral("–"));  // nothing was predicted
    QCOMPARE(rows[3].b, QStringLiteral("1.0\u00A0KiB"));
    QCOMPARE(rows[4].ratio, QStringLiteral("-0.25"));
    const QRectF corner = view.matrixCell(view.rect(), 0, 0), top = view.matrixCell(view.rect(), 1, 2);
    QVERIFY(corner.width() >= 14 && top.right() <= view.width());
    QVERIFY(top.bottom() <= corner.top() && top.left() > corner.right());  // deeper is up and right
    const QImage drawn = view.grab().toImage();
    const auto at = [&](const QRectF& cell) { return drawn.pixelColor(cell.topLeft().toPoint() + QPoint(3, 3)); };
    QVERIFY(at(view.matrixCell(view.rect(), 1, 1)) != at(corner));  // four tokens, and none
    view.resize(340, 150);
    QVERIFY(view.matrixCell(view.rect(), 0, 0).isEmpty());
}

void SideBySideTest::anotherVocabularyIsRefused() {
    const Pair pair(kTrained, bundled("hops-expert-r4"));
    QVERIFY(pair.comparison && !pair.comparison->isDone());
    QVERIFY2(pair.comparison->errorBar()->sentence().contains(QStringLiteral("4096")),
             qPrintable(pair.comparison->errorBar()->sentence()));
    QVERIFY(!pair.comparison->figures()->comparison());
    pair.comparison->openB(bundled("prose-vanilla"));  // and now a right one
    QVERIFY(QTest::qWaitFor([&] { return pair.comparison->isDone(); }, kPatience));
    QVERIFY(!pair.comparison->errorBar()->isVisible());
    pair.comparison->openB(QStringLiteral("/nonexistent"));
    QVERIFY(QTest::qWaitFor([&] { return pair.comparison->errorBar()->isVisible(); }, kPatience));
    QVERIFY(pair.comparison->errorBar()->sentence().contains(QStringLiteral("/nonexistent")));
}

void SideBySideTest::aTraceMayBeB() {
    const Pair pair(kTrained, kTrained);
    QVERIFY(pair.comparison && pair.comparison->isDone());
    const mor::Trace& a = pair.comparison->modelA().trace();
    QTemporaryDir folder;
    const QString file = folder.filePath("b.mortrace");
    {
        mor::TraceWriter writer(file.toStdString(), a.header);
        for (mor::TokenRecord token : a.tokens) {
            token.token += token.position > 9;  // another text from there on
            writer.add(token);
        }
    }
    pair.comparison->openTraceOfB(file);
    QVERIFY2(pair.comparison->isDone(), qPrintable(pair.comparison->errorBar()->sentence()));
    QCOMPARE(pair.comparison->figures()->comparison()->tokens, 10);
    QVERIFY(!pair.comparison->controls()->isEnabled());
    auto* chooser = pair.comparison->findChild<QToolButton*>(QStringLiteral("modelChooser"));
    QVERIFY(chooser->text().startsWith("b.mortrace"));
    pair.comparison->openB(kTrained);
    pair.comparison->openTraceOfB(file);  // while that loads
    QTRY_COMPARE(pair.comparison->feed().state(), EngineState::Ready);
    QVERIFY2(chooser->text().startsWith("b.mortrace"), qPrintable(chooser->text()));
    pair.comparison->openTraceOfB(folder.filePath("none.mortrace"));
    QVERIFY(!pair.comparison->isDone() && pair.comparison->errorBar()->sentence().contains("none.mortrace"));
    pair.comparison->openB(kTrained);
    QVERIFY(pair.wait() && pair.comparison->controls()->isEnabled());
}

void SideBySideTest::isOfferedWhenThereIsAText() {
    Opened opened(kTrained, QStringLiteral("The king"), 6);
    QVERIFY(opened.waitFor(EngineState::Ready));
    QAction* action = opened.window->actions().compareModels;
    QVERIFY(!action->isEnabled());
    opened.window->actions().generate->trigger();
    QVERIFY(opened.waitForTokens(8) && opened.waitFor(EngineState::Ready));
    QVERIFY(action->isEnabled());
    action->trigger();
    const auto windows = opened.window->findChildren<ComparisonWindow*>();
    QCOMPARE(windows.size(), 1);
    QVERIFY(QTest::qWaitFor([&] { return windows[0]->isDone(); }, kPatience));
    QVERIFY(windows[0]->suggestion().contains(QStringLiteral("prose-")));  // the hops models have another vocabulary
    QVERIFY(!windows[0]->suggestion().endsWith(QStringLiteral("prose-expert-r3")));
    // Esc closes this window and touches nothing in the other one.
    QTest::keyClick(windows[0], Qt::Key_Escape);
    QTRY_VERIFY(opened.window->findChildren<ComparisonWindow*>().isEmpty());
    QCOMPARE(opened.window->trace().tokenCount(), 8);
}

void SideBySideTest::closesWhileItLoads() {
    Opened opened(kTrained, QStringLiteral("The king"), 6);
    QVERIFY(opened.waitFor(EngineState::Ready));
    opened.window->actions().generate->trigger();
    QVERIFY(opened.waitForTokens(8) && opened.waitFor(EngineState::Ready));
    for (int i = 0; i < 3; ++i) {
        ComparisonWindow* comparison = opened.window->compareWith(bundled("prose-vanilla"));
        QTest::qWait(i * 20);
        delete comparison;
    }
    ComparisonWindow* left = opened.window->compareWith();  // the window goes first
    QVERIFY(left->isVisible());
}

/// Whatever the numbers are, in the least width that the view asks for.
void SideBySideTest::figuresAreNeverCut() {
    mor::RunComparison made;
    made.tokens = made.predicted = 123456;
    made.a.mean_depth = made.b.mean_depth = 12.34;
    made.a.nats_per_token = made.b.nats_per_token = 10.123f;
    made.a.flops_per_token = 1234.5e9;
    made.b.flops_per_token = 12.5;
    made.a.kv_used = 1023 * 1024 + 900;
    made.b.kv_used = 1023LL * 1024 * 1024 + 900 * 1024;
    made.depth_correlation = -0.12;
    for (const std::size_t depths : {4, 1}) {
        made.depths.assign(depths, std::vector<std::int64_t>(4, 7));
        for (const double scale : {1.0, 1.6}) {
            ComparisonView view;
            view.setTheme({.scale = scale});
            view.setComparison(made);
            const auto texts = writtenIn(view, view.minimumSizeHint().expandedTo(QSize(0, 400)));
            QVERIFY(texts.size() > 10);
            for (const auto& text : texts) QVERIFY2(!text.contains(QChar(0x2026)), qPrintable(text));
        }
    }
}

QTEST_MAIN(SideBySideTest)
#include "tst_side_by_side.moc"
