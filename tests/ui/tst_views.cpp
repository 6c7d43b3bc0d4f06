// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QLocale>
#include <QPainter>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
#include <cmath>
#include <memory>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/compute_view.hpp"
#include "views/depth_heatmap_view.hpp"
#include "views/heatmap_painter.hpp"
#include "views/kv_chart_view.hpp"
#include "views/legend.hpp"
#include "views/panel.hpp"
#include "views/routing_view.hpp"
#include "views/token_detail_view.hpp"
#include "views/token_flow_view.hpp"

using namespace mor::ui;
using namespace mor::test;

namespace {

/// One run and the views of it in one window, at the sizes they have in a window of 1280 x 800.
struct Stage {
    TraceModel model;
    Selection selection{&model};
    QWidget window;
    TokenFlowView flow{&model, &selection, &window};
    DepthHeatmapView heatmap{&model, &selection, &window};
    RoutingView routing{&model, &selection, &window};
    KvChartView kv{&model, &selection, &window};
    TokenDetailView detail{&model, &selection, &window};
    ComputeView compute{&model, &window};
    DepthLegend legend{&model, &window};

    explicit Stage(const SyntheticOptions& options = {}) : Stage(syntheticTrace(options)) {}
    explicit Stage(mor::Trace trace) {
        flow.setGeometry(0, 0, 800, 190);
        detail.setGeometry(810, 0, 420, 190);
        heatmap.setGeometry(0, 200, 1230, 190);
        kv.setGeometry(0, 400, 480, 200);
        routing.setGeometry(490, 400, 440, 200);
        compute.setGeometry(940, 400, 280, 200);
        legend.setGeometry(0, 610, 160, 20);
        window.resize(1240, 640);
        window.show();
        model.load(std::move(trace));
        QCoreApplication::processEvents();
    }
    std::vector<Picture*> pictures() { return {&flow, &heatmap, &routing, &kv, &detail, &compute, &legend}; }
    std::vector<QWidget*> widgets() { return {&flow, &heatmap, &routing, &kv, &detail, &compute, &legend}; }
};

QImage grabbed(QWidget& widget) { return widget.grab().toImage().convertToFormat(QImage::Format_RGB32); }

void moveMouse(QAbstractScrollArea& view, const QPointF& at) { QTest::mouseMove(view.viewport(), at.toPoint()); }

void click(QAbstractScrollArea& view, const QPointF& at) {
    QTest::mouseClick(view.viewport(), Qt::LeftButton, Qt::NoModifier, at.toPoint());
}

}  // namespace

class ViewsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void heatmapCellsEqualTheTrace();
    void heatmapPixelsAreTheCells();
    void heatmapImageHoldsTheCells();
    void heatmapFillsRecursionByRecursion();
    void heatmapShowsTheChosenDepth();
    void heatmapHoversPinsAndMoves();
    void heatmapZoomsAndFollows();
    void heatmapColoursByOtherNumbers();
    void flowBoxesEqualTheTrace();
    void flowHoversAndPins();
    void flowFollowsUnlessScrolled();
    void routingCountsEqualTheTrace();
    void routingNotesEqualTheToken();
    void kvPointsEqualTheTrace();
    void kvIsDecimated();
    void kvHoversAndPins();
    void detailRowsEqualTheToken();
    void detailComparesTwoPins();
    void computeShowsTheFigures();
    void legendShowsEveryDepth();
    void hoveringOneViewMarksAllOthers();
    void everyKindOfModelDraws_data();
    void everyKindOfModelDraws();
    void themesReachEverything();
    void picturesDrawAnywhere();
    void everyViewSpeaks();
    void manyTokensStayFluent();
    void screenshots();
};

void ViewsTest::heatmapCellsEqualTheTrace() {
    Stage stage;
    const Theme theme;
    for (int token = 0; token < stage.model.tokenCount(); ++token)
        for (int r = 0; r < 3; ++r) {
            const auto& decision = stage.model.token(token).recursions[static_cast<std::size_t>(r)];
            const auto cell = stage.heatmap.cellAt(token, r);
            QVERIFY(cell.known);
            QCOMPARE(cell.offered, decision.outcome != mor::Outcome::NotOffered);
            if (!cell.offered) {
                QCOMPARE(cell.glyph, CellGlyph::None);
                QCOMPARE(cell.colour, theme.frame().blank);
                continue;
            }
            QCOMPARE(cell.fill, static_cast<double>(decision.score));
            QCOMPARE(cell.tick, 0.5);
            const bool taken = decision.outcome == mor::Outcome::Take;
            QCOMPARE(cell.glyph, taken ? CellGlyph::Continue : CellGlyph::Leave);
            QCOMPARE(cell.colour == theme.depth(r + 1, 3), taken);
        }
}

void ViewsTest::heatmapPixelsAreTheCells() {
    Stage stage;
    stage.heatmap.setColumnWidth(24);
    const auto image = grabbed(stage.heatmap);
    int seen = 0;
    for (int token = 0; token < stage.model.tokenCount(); ++token)
        for (int r = 0; r < 3; ++r) {
            const auto area = stage.heatmap.cellRect(token, r);
            if (area.left() < 90 || area.right() > 1080) continue;  // scrolled out
            const auto cell = stage.heatmap.cellAt(token, r);
            // A column of pixels to the right of glyph and tick: the fill from the bottom, the ground above it.
            const int x = static_cast<int>(area.right()) - 4;
            const int top = static_cast<int>(area.top()), bottom = static_cast<int>(area.bottom()) - 1;
            const int filled = static_cast<int>(std::round(cell.fill * (bottom - top)));
            for (int y = top; y < bottom; ++y)
                QCOMPARE(image.pixelColor(x, y).rgb(), (bottom - y <= filled ? cell.colour : cell.ground).rgb());
            ++seen;
        }
    QVERIFY(seen > 60);
}

void ViewsTest::heatmapImageHoldsTheCells() {
    Stage stage({.tokens = 300});
    const Theme theme;
    const HeatColours colours(theme, 3);
    const HeatmapPainter painter(stage.model, stage.selection, theme, colours, ColourBy::Depth);
    const auto layout = layOutHeatmap(theme, {0, 0, 800, 200}, 3, 300, 2, 0);
    const auto image = painter.image(layout);
    QCOMPARE(image.format(), QImage::Format_Indexed8);
    QCOMPARE(image.width(), layout.end - layout.first);
    for (int x = 0; x < image.width(); ++x)
        for (int r = 0; r < 3; ++r) {
            const auto cell = stage.heatmap.cellAt(layout.first + x, r);
            int filled = 0;
            for (int level = 0; level < HeatmapPainter::kLevels; ++level)
                filled += image.pixel(x, (2 - r) * HeatmapPainter::kLevels + level) == cell.colour.rgb();
            if (cell.offered) QCOMPARE(filled, static_cast<int>(std::lround(cell.fill * HeatmapPainter::kLevels)));
        }
}

void ViewsTest::heatmapFillsRecursionByRecursion() {
    Stage stage(mor::Trace{.header = syntheticHeader(), .tokens = {}, .passes = {}, .torn = false});
    const auto record = SyntheticRun({}).next();
    QVERIFY(record.depth >= 1);
    QVERIFY(!stage.heatmap.cellAt(0, 0).known);
    stage.model.append({}, {syntheticPass(0, 0, record.recursions[0])});
    QVERIFY(stage.heatmap.cellAt(0, 0).known);
    QCOMPARE(stage.heatmap.cellAt(0, 0).fill, static_cast<double>(record.recursions[0].score));
    QVERIFY(!stage.heatmap.cellAt(0, 1).known);
    const auto image = grabbed(stage.heatmap);
    const auto cell = stage.heatmap.cellRect(0, 0);
    QCOMPARE(image.pixelColor(static_cast<int>(cell.right()) - 4, static_cast<int>(cell.bottom()) - 4),
             stage.heatmap.cellAt(0, 0).colour);
}

void ViewsTest::heatmapShowsTheChosenDepth() {
    Stage stage({.routing = mor::Routing::TokenChoice});
    for (int token = 0; token < stage.model.tokenCount(); ++token)
        for (int r = 0; r < 3; ++r) {
            const auto& record = stage.model.token(token);
            const auto cell = stage.heatmap.cellAt(token, r);
            QCOMPARE(cell.fill, static_cast<double>(record.recursions[static_cast<std::size_t>(r)].score));
            QVERIFY(cell.tick < 0);  // no threshold decides
            const auto expected = record.depth == r + 1 ? CellGlyph::Chosen
                                  : r < record.depth    ? CellGlyph::Continue
                                                        : CellGlyph::None;
            QCOMPARE(cell.glyph, expected);
        }
}

void ViewsTest::heatmapHoversPinsAndMoves() {
    Stage stage({.tokens = 20});
    moveMouse(stage.heatmap, stage.heatmap.cellRect(7, 1).center());
    QCOMPARE(stage.selection.hovered(), 7);
    click(stage.heatmap, stage.heatmap.cellRect(7, 1).center());
    QCOMPARE(stage.selection.pinned(), 7);
    QTest::keyClick(&stage.heatmap, Qt::Key_Right);
    QCOMPARE(stage.selection.pinned(), 8);
    QTest::keyClick(&stage.heatmap, Qt::Key_Home);
    QCOMPARE(stage.selection.pinned(), 0);
    QTest::keyClick(&stage.heatmap, Qt::Key_Escape);
    QCOMPARE(stage.selection.pinned(), -1);
    QCOMPARE(stage.heatmap.tokenAt({2, 20}), -1);     // the names of the rows
    QCOMPARE(stage.heatmap.tokenAt({1220, 20}), -1);  // the histograms
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(stage.heatmap.viewport(), &leave);
    QCOMPARE(stage.selection.hovered(), -1);
}

void ViewsTest::heatmapZoomsAndFollows() {
    Stage stage({.tokens = 200});
    auto* bar = stage.heatmap.horizontalScrollBar();
    QVERIFY(bar->maximum() > 0);
    QCOMPARE(bar->value(), bar->maximum());
    QSignalSpy zoomed(&stage.heatmap, &DepthHeatmapView::columnWidthChanged);
    const auto under = stage.heatmap.cellRect(190, 1).center();
    const auto spin = [&](int steps, Qt::KeyboardModifiers keys) {
        QWheelEvent wheel(under, stage.heatmap.mapToGlobal(under), {}, {0, 120 * steps}, Qt::NoButton, keys,
                          Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(stage.heatmap.viewport(), &wheel);
    };
    spin(1, Qt::ControlModifier);
    QCOMPARE(zoomed.count(), 1);
    QCOMPARE(stage.heatmap.tokenAt(under.toPoint()), 190);  // what is under the pointer stays there
    spin(-40, Qt::ControlModifier);
    QCOMPARE(stage.heatmap.columnWidth(), 1.0);
    stage.heatmap.setColumnWidth(24);
    bar->setValue(bar->maximum());
    spin(3, Qt::NoModifier);  // back in the text: do not follow any more
    const int read = bar->value();
    QVERIFY(read < bar->maximum());
    stage.model.append({SyntheticRun({}).next()}, {});
    QCOMPARE(bar->value(), read);
    stage.selection.togglePin(0);  // chosen elsewhere: shown here
    QVERIFY(bar->value() < 24);
    bar->triggerAction(QAbstractSlider::SliderToMaximum);
    stage.selection.clear();
    stage.model.append({SyntheticRun({}).next()}, {});
    QCOMPARE(bar->value(), bar->maximum());
}

void ViewsTest::heatmapColoursByOtherNumbers() {
    Stage stage;
    const Theme theme;
    QVERIFY(stage.heatmap.caption().startsWith(QStringLiteral("colour = depth")));
    const auto coloured = grabbed(stage.heatmap);
    stage.heatmap.setColourBy(ColourBy::Gate);
    QVERIFY(stage.heatmap.caption().startsWith(QStringLiteral("grey = gate")));
    QVERIFY(coloured != grabbed(stage.heatmap));
    for (int r = 1; r <= 3; ++r)
        for (int token = 0; token < 47; ++token) QVERIFY(stage.heatmap.cellAt(token, r - 1).colour != theme.depth(r, 3));
    stage.heatmap.setColumnWidth(2);
    QVERIFY(!grabbed(stage.heatmap).isNull());
}

void ViewsTest::flowBoxesEqualTheTrace() {
    Stage stage;
    const Theme theme;
    for (int token = 0; token < stage.model.tokenCount(); ++token) {
        const auto& record = stage.model.token(token);
        const auto box = stage.flow.boxAt(token);
        QCOMPARE(box.ground, theme.depth(record.depth, 3));
        QCOMPARE(box.depth, QString::number(record.depth));
        QCOMPARE(box.prompt, record.prompt);
        QCOMPARE(box.text, flowText(QString::fromStdString(record.piece), {}));
        QVERIFY(box.area.right() <= stage.flow.viewport()->width());
    }
    // A line break ends the line; the pieces of a word touch.
    int broken = 0;
    for (int token = 0; token + 1 < stage.model.tokenCount(); ++token)
        if (stage.model.token(token).piece == "\n") {
            QVERIFY(stage.flow.boxAt(token + 1).area.top() > stage.flow.boxAt(token).area.top());
            QCOMPARE(stage.flow.boxAt(token + 2).area.top(), stage.flow.boxAt(token + 1).area.top());
            ++broken;
        }
    QCOMPARE(broken, 1);
}

void ViewsTest::flowHoversAndPins() {
    Stage stage;
    for (const int token : {0, 5, 9}) {
        moveMouse(stage.flow, stage.flow.viewportRect(token).center());
        QCOMPARE(stage.selection.hovered(), token);
    }
    click(stage.flow, stage.flow.viewportRect(9).center());
    click(stage.flow, stage.flow.viewportRect(3).center());
    QCOMPARE(stage.selection.pinned(), 9);
    QCOMPARE(stage.selection.secondPinned(), 3);
    QTest::keyClick(&stage.flow, Qt::Key_Left);
    QCOMPARE(stage.selection.secondPinned(), 2);
    QTest::keyClick(&stage.flow, Qt::Key_Escape);
    QCOMPARE(stage.selection.pinned(), -1);
}

void ViewsTest::flowFollowsUnlessScrolled() {
    Stage stage({.tokens = 400});
    auto* bar = stage.flow.verticalScrollBar();
    QCOMPARE(bar->value(), bar->maximum());
    QVERIFY(stage.flow.viewportRect(399).bottom() <= stage.flow.viewport()->height());
    bar->triggerAction(QAbstractSlider::SliderPageStepSub);
    const int read = bar->value();
    std::vector<mor::TokenRecord> more;
    SyntheticRun run({.seed = 9});
    for (int i = 0; i < 60; ++i) more.push_back(run.next());
    stage.model.append(more, {});
    QCOMPARE(bar->value(), read);
    bar->triggerAction(QAbstractSlider::SliderToMaximum);
    stage.model.append(more, {});
    QCOMPARE(bar->value(), bar->maximum());
}

void ViewsTest::routingCountsEqualTheTrace() {
    Stage stage({.tokens = 200});
    const auto flow = stage.routing.flow();
    QCOMPARE(static_cast<int>(flow.lanes.size()), 4);
    std::vector<int> taken(4, 0), depths(4, 0);
    for (const auto& record : stage.model.trace().tokens) {
        ++depths[static_cast<std::size_t>(record.depth)];
        for (int lane = 0; lane <= record.depth; ++lane) ++taken[static_cast<std::size_t>(lane)];
    }
    double stacked = 0;
    for (std::size_t lane = 0; lane < 4; ++lane) {
        QCOMPARE(flow.lanes[lane].taken, taken[lane]);
        QCOMPARE(flow.lanes[lane].left, depths[lane]);
        QCOMPARE(flow.lanes[lane].bar.height(), taken[lane] * flow.perToken);
        QCOMPARE(flow.lanes[lane].exit.height(), depths[lane] * flow.perToken);
        stacked += flow.lanes[lane].exit.height();
    }
    QVERIFY(std::abs(stacked - flow.lanes[0].bar.height()) < 1e-6);  // nobody is lost on the way
}

void ViewsTest::routingNotesEqualTheToken() {
    Stage stage;
    for (int token = 0; token < 47; ++token) {
        stage.selection.setHovered(token);
        const auto notes = stage.routing.notes();
        QCOMPARE(static_cast<int>(notes.size()), 3);
        for (const auto& note : notes) {
            const auto& decision = stage.model.token(token).recursions[static_cast<std::size_t>(note.recursion)];
            QVERIFY(note.score.endsWith(scoreText(decision.score)));
            QCOMPARE(note.gate, scoreText(decision.gate));
            QCOMPARE(note.taken, decision.outcome == mor::Outcome::Take);
            QCOMPARE(note.rule.isEmpty(), decision.outcome == mor::Outcome::NotOffered);
        }
    }
}

void ViewsTest::kvPointsEqualTheTrace() {
    Stage stage;
    QCOMPARE(stage.kv.layers(), 4);
    QCOMPARE(stage.kv.unit(), QStringLiteral("KiB"));
    const auto reference = stage.kv.vanillaLine();
    QCOMPARE(reference.size(), 48);
    for (int token = 0; token < 47; ++token) {
        const auto& kv = stage.model.token(token).kv;
        double sum = 0;
        for (int layer = 0; layer < 4; ++layer) {
            sum += static_cast<double>(kv.used[static_cast<std::size_t>(layer)]);
            QCOMPARE(stage.kv.upperEdge(layer).at(token + 1), QPointF(token + 1, sum / 1024));
        }
        QCOMPARE(reference.at(token + 1), QPointF(token + 1, static_cast<double>(kv.vanilla) / 1024));
    }
    QCOMPARE(stage.kv.savedText(), percentText(*figuresOf(stage.model.trace()).kvSaved) + QStringLiteral(" saved"));
}

void ViewsTest::kvIsDecimated() {
    Stage stage({.tokens = 4096});
    QVERIFY(stage.kv.vanillaLine().size() <= KvChartView::kMostPoints);
    QVERIFY(stage.kv.vanillaLine().size() >= 100);
    QCOMPARE(stage.kv.vanillaLine().last().x(), 4096.0);
    QCOMPARE(stage.kv.unit(), QStringLiteral("MiB"));
    QCOMPARE(stage.kv.upperEdge(3).last().y(), static_cast<double>(kvUsed(stage.model.token(4095).kv)) / (1 << 20));
}

void ViewsTest::kvHoversAndPins() {
    Stage stage;
    for (const int token : {3, 20, 46}) {
        const auto at = stage.kv.pointFor(token) + QPointF(0, 4);
        moveMouse(stage.kv, at);
        QCOMPARE(stage.selection.hovered(), token);
    }
    click(stage.kv, stage.kv.pointFor(20) + QPointF(0, 4));
    QCOMPARE(stage.selection.pinned(), 20);
    QTest::keyClick(&stage.kv, Qt::Key_Right);
    QCOMPARE(stage.selection.pinned(), 21);
    QCOMPARE(stage.kv.tokenAt({1, 1}), -1);
}

void ViewsTest::detailRowsEqualTheToken() {
    Stage stage;
    for (int token = 0; token < 47; ++token) {
        const auto& record = stage.model.token(token);
        stage.selection.setHovered(token);
        QCOMPARE(stage.detail.shownToken(), token);
        QCOMPARE(stage.detail.caption(), QStringLiteral("depth %1 of 3").arg(record.depth));
        for (const auto& row : stage.detail.rows(token)) {
            const auto& decision = record.recursions[static_cast<std::size_t>(row.recursion)];
            QCOMPARE(row.score, scoreText(decision.score));
            QCOMPARE(row.gate, scoreText(decision.gate));
            QCOMPARE(row.margin, scoreText(decision.margin));
            QCOMPARE(row.share, row.offered ? static_cast<double>(decision.score) : 0.0);
            QCOMPARE(row.colour, stage.heatmap.cellAt(token, row.recursion).colour);
        }
        QCOMPARE(stage.detail.alternatives(token).size(), static_cast<qsizetype>(record.top.size()));
    }
}

void ViewsTest::detailComparesTwoPins() {
    Stage stage;
    QSignalSpy titled(&stage.detail, &TokenDetailView::titleChanged);
    stage.selection.togglePin(29);
    QCOMPARE(stage.detail.title(), QStringLiteral("Token 29 · “had”"));
    stage.selection.togglePin(1);
    QCOMPARE(stage.detail.title(), QStringLiteral("Token 1 · “king” against 29 · “had”"));
    QCOMPARE(titled.count(), 2);
    const auto compared = grabbed(stage.detail);
    stage.selection.togglePin(29);
    QVERIFY(compared != grabbed(stage.detail));
}

void ViewsTest::computeShowsTheFigures() {
    Stage stage({.tokens = 31, .prompt = 11});
    QStringList lines;
    for (const auto& row : stage.compute.rows())
        lines += row.name + QLatin1Char('=') + row.value + QLatin1Char('|') + row.origin;
    QVERIFY(lines.contains(QStringLiteral("tokens/s=400|measured")));
    QVERIFY(lines.contains(QStringLiteral("time to first token=18\u00a0ms|measured")));
    QVERIFY(lines.contains(QStringLiteral("vanilla reference=5.7\u00a0M|computed")));
    stage.model.clear();
    for (const auto& row : stage.compute.rows()) QCOMPARE(row.value, QStringLiteral("–"));
}

void ViewsTest::legendShowsEveryDepth() {
    Stage stage;
    QCOMPARE(stage.legend.entries().size(), 4);
    for (const auto& entry : stage.legend.entries()) QCOMPARE(entry.colour, Theme().depth(entry.depth, 3));
    stage.model.load(syntheticTrace({.routing = mor::Routing::TokenChoice}));
    QCOMPARE(stage.legend.entries().first().depth, 1);
    stage.model.load(syntheticTrace({.recursions = 0}));
    QVERIFY(stage.legend.entries().isEmpty());
}

void ViewsTest::hoveringOneViewMarksAllOthers() {
    Stage stage;
    std::vector<QWidget*> others{&stage.heatmap, &stage.routing, &stage.kv, &stage.detail};
    std::vector<QImage> before;
    for (auto* other : others) before.push_back(grabbed(*other));
    moveMouse(stage.flow, stage.flow.viewportRect(5).center());
    for (std::size_t i = 0; i < others.size(); ++i)
        QVERIFY2(grabbed(*others[i]) != before[i], others[i]->metaObject()->className());
}

void ViewsTest::everyKindOfModelDraws_data() {
    QTest::addColumn<int>("recursions");
    QTest::addColumn<int>("routing");
    QTest::addColumn<int>("policy");
    QTest::addColumn<int>("tokens");
    const auto row = [](const char* name, int recursions, mor::Routing routing, mor::KvPolicy policy, int tokens) {
        QTest::newRow(name) << recursions << static_cast<int>(routing) << static_cast<int>(policy) << tokens;
    };
    using mor::KvPolicy, mor::Routing;
    row("expert choice", 3, Routing::ExpertChoice, KvPolicy::RecursionWise, 60);
    row("kv sharing", 3, Routing::ExpertChoice, KvPolicy::RecursiveSharing, 60);
    row("token choice", 3, Routing::TokenChoice, KvPolicy::RecursionWise, 60);
    row("unrouted", 3, Routing::None, KvPolicy::RecursionWise, 60);
    row("one recursion", 1, Routing::ExpertChoice, KvPolicy::RecursionWise, 60);
    row("many recursions", 32, Routing::ExpertChoice, KvPolicy::RecursionWise, 60);
    row("vanilla", 0, Routing::None, KvPolicy::RecursionWise, 60);
    row("one token", 3, Routing::ExpertChoice, KvPolicy::RecursionWise, 1);
    row("no token", 3, Routing::ExpertChoice, KvPolicy::RecursionWise, 0);
}

void ViewsTest::everyKindOfModelDraws() {
    QFETCH(int, recursions);
    QFETCH(int, routing);
    QFETCH(int, policy);
    QFETCH(int, tokens);
    const SyntheticOptions options{.tokens = tokens,
                                   .prompt = std::min(tokens, 11),
                                   .recursions = recursions,
                                   .routing = static_cast<mor::Routing>(routing),
                                   .kvPolicy = static_cast<mor::KvPolicy>(policy)};
    Stage stage(options);
    for (auto* widget : stage.widgets()) QVERIFY(!grabbed(*widget).isNull());
    stage.selection.moveBy(-3);
    stage.selection.togglePin(0);
    stage.heatmap.setColumnWidth(1);
    for (auto* widget : stage.widgets()) QVERIFY(!grabbed(*widget).isNull());
    for (auto* widget : stage.widgets()) widget->resize(1, 1);  // nothing divides by a size
    for (auto* widget : stage.widgets()) grabbed(*widget);
    stage.model.clear();
    for (auto* widget : stage.widgets()) grabbed(*widget);
}

void ViewsTest::themesReachEverything() {
    Stage stage;
    const Theme dark{.appearance = Appearance::Dark, .map = ColourMap::Viridis, .scale = 1.0};
    for (auto* picture : stage.pictures()) picture->setTheme(dark);
    QCOMPARE(stage.heatmap.cellAt(0, 0).colour, dark.depth(1, 3));
    QCOMPARE(stage.flow.boxAt(0).ground, dark.depth(stage.model.token(0).depth, 3));
    for (auto* widget : std::vector<QWidget*>{&stage.flow, &stage.heatmap, &stage.kv})
        QCOMPARE(grabbed(*widget).pixelColor(1, 1), dark.frame().panel);
    Panel panel(QStringLiteral("Text"), QStringLiteral("background = depth"), new DepthLegend(&stage.model));
    panel.setTheme(dark);
    panel.resize(400, 100);
    QCOMPARE(grabbed(panel).pixelColor(200, 95), dark.frame().panel);
}

void ViewsTest::picturesDrawAnywhere() {
    Stage stage;
    for (auto* picture : stage.pictures()) {
        QImage image(700, 300, QImage::Format_RGB32);
        image.fill(Qt::magenta);
        QPainter painter(&image);
        picture->drawInto(painter, {50, 50, 600, 200});
        painter.end();
        bool inside = false, outside = false;
        for (int y = 0; y < 300; ++y)
            for (int x = 0; x < 700; ++x) {
                const bool drawn = image.pixel(x, y) != QColor(Qt::magenta).rgb();
                (QRect(46, 46, 608, 208).contains(x, y) ? inside : outside) |= drawn;
            }
        QVERIFY2(inside, typeid(*picture).name());
        QVERIFY2(!outside, typeid(*picture).name());
    }
}

void ViewsTest::everyViewSpeaks() {
    Stage stage;
    for (auto* widget : stage.widgets()) {
        QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
        QVERIFY2(!widget->accessibleDescription().isEmpty(), widget->metaObject()->className());
    }
    stage.selection.setHovered(29);
    QVERIFY(stage.heatmap.accessibleDescription().contains(QStringLiteral("Token 29 · “had”")));
    QVERIFY(stage.flow.description().contains(QStringLiteral("The king said to his servant,")));
}

void ViewsTest::manyTokensStayFluent() {
    Stage stage({.tokens = 4095});
    QElapsedTimer clock;
    clock.start();
    stage.model.append({SyntheticRun({}).next()}, {});
    const auto appended = static_cast<double>(clock.nsecsElapsed()) / 1e6;
    stage.kv.flush();
    const auto charted = static_cast<double>(clock.nsecsElapsed()) / 1e6 - appended;
    qInfo("4096 tokens: append %.2f ms, chart replace %.2f ms", appended, charted);
    const auto measure = [&](const char* name, QWidget& widget) {
        grabbed(widget);
        clock.restart();
        for (int i = 0; i < 10; ++i) widget.grab();
        qInfo("4096 tokens: paint %s %.2f ms", name, static_cast<double>(clock.nsecsElapsed()) / 1e7);
    };
    measure("text", stage.flow);
    measure("heatmap, 24 px", stage.heatmap);
    stage.heatmap.setColumnWidth(1);
    measure("heatmap, 1 px", stage.heatmap);
    measure("routing", stage.routing);
    measure("KV chart", stage.kv);
    measure("token", stage.detail);
    measure("compute", stage.compute);
    QCOMPARE(stage.model.tokenCount(), 4096);
}

/// Writes every view to $MOR_SCREENSHOT_DIR, for people to look at.
void ViewsTest::screenshots() {
    const auto folder = qEnvironmentVariable("MOR_SCREENSHOT_DIR");
    if (folder.isEmpty()) QSKIP("MOR_SCREENSHOT_DIR is not set");
    struct Case {
        const char* name;
        SyntheticOptions options;
        Theme theme;
        double columnWidth = 24;
        ColourBy colourBy = ColourBy::Depth;
    };
    const Theme light, dark{.appearance = Appearance::Dark, .map = ColourMap::Cividis, .scale = 1.0};
    const std::vector<Case> cases{
        {"light", {}, light},
        {"dark", {}, dark},
        {"viridis",
         {.tokens = 200, .recursions = 5},
         {.appearance = Appearance::Dark, .map = ColourMap::Viridis, .scale = 1.0},
         10},
        {"grey",
         {.kvPolicy = mor::KvPolicy::RecursiveSharing},
         {.appearance = Appearance::Light, .map = ColourMap::Grey, .scale = 1.0}},
        {"present", {}, {.appearance = Appearance::Light, .map = ColourMap::Cividis, .scale = 1.6}},
        {"token-choice", {.routing = mor::Routing::TokenChoice}, light},
        {"unrouted", {.routing = mor::Routing::None}, light},
        {"vanilla", {.recursions = 0}, light},
        {"long", {.tokens = 4096}, light, 1},
        {"by-score", {}, light, 24, ColourBy::Score},
        {"empty", {.tokens = 0, .prompt = 0}, dark}};
    for (const auto& one : cases) {
        Stage stage(one.options);
        if (one.options.tokens == 0) stage.model.clear();
        for (auto* picture : stage.pictures()) picture->setTheme(one.theme);
        stage.heatmap.setColumnWidth(one.columnWidth);
        stage.heatmap.setColourBy(one.colourBy);
        if (qstrcmp(one.name, "dark") == 0) stage.selection.togglePin(29), stage.selection.togglePin(36);
        stage.selection.setHovered(qstrcmp(one.name, "dark") == 0 ? -1 : 29);
        const double scale = one.theme.scale;
        QImage sheet(static_cast<int>(1280 * scale), static_cast<int>(712 * scale), QImage::Format_RGB32);
        sheet.fill(one.theme.frame().ground);
        QPainter painter(&sheet);
        const auto place = [&](QWidget& view, const QString& title, const QString& caption, double x, double y, double w,
                               double h) {
            const QRectF area(x * scale, y * scale, w * scale, h * scale);
            const auto inside = Panel::drawInto(painter, one.theme, area, title, caption);
            view.resize(inside.size().toSize());
            QCoreApplication::processEvents();
            painter.drawPixmap(inside.topLeft(), view.grab());
        };
        place(stage.flow, QStringLiteral("Text"), QStringLiteral("background = depth, underlined = prompt"), 12, 12, 820,
              224);
        place(stage.detail, stage.detail.title(), stage.detail.caption(), 840, 12, 428, 224);
        place(stage.heatmap, QStringLiteral("Depth heatmap"), stage.heatmap.caption(), 12, 244, 1256, 220);
        place(stage.kv, QStringLiteral("KV cache"),
              stage.kv.unit() + QStringLiteral(", measured · vanilla reference computed"), 12, 472, 480, 228);
        place(stage.routing, QStringLiteral("Routing"), QStringLiteral("tokens entering and leaving each recursion"), 500,
              472, 460, 228);
        place(stage.compute, QStringLiteral("Compute"), {}, 968, 472, 300, 228);
        painter.end();
        QVERIFY(sheet.save(QStringLiteral("%1/%2.png").arg(folder, QString::fromLatin1(one.name))));
    }
}

QTEST_MAIN(ViewsTest)
#include "tst_views.moc"
