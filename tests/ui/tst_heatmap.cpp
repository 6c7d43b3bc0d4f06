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
#include "ui/stage.hpp"
#include "views/heatmap/heatmap_painter.hpp"
#include "views/kit/panel.hpp"
#include "views/kit/score_histogram.hpp"

using namespace mor::ui;
using namespace mor::test;

class HeatmapTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void heatmapCellsEqualTheTrace();
    void heatmapPixelsAreTheCells();
    void heatmapImageHoldsTheCells();
    void heatmapFillsRecursionByRecursion();
    void heatmapShowsTheChosenDepth();
    void heatmapHoversPinsAndMoves();
    void heatmapStaysUnderThePointer_data();
    void heatmapStaysUnderThePointer();
    void heatmapZoomsAndFollows();
    void heatmapColoursByOtherNumbers();
    void numbersAreOnTheScaleOfTheData();
    void scalesGrowWithTheRun();
    void whatWasNotComputedHasNoColourOfTheRamp();
    void picturesHoldAllColumns_data();
    void picturesHoldAllColumns();
    void heatmapPansByDragging();
    void heatmapFitsTheRun();
    void heatmapThresholdIsDragged();
    void heatmapRingsWhatWouldChange();
    void heatmapMarksTheLeak();
    void overlayBelongsToOneText();
};

void HeatmapTest::heatmapCellsEqualTheTrace() {
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

void HeatmapTest::heatmapPixelsAreTheCells() {
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

void HeatmapTest::heatmapImageHoldsTheCells() {
    Stage stage({.tokens = 300});
    const Theme theme;
    const HeatColours colours(theme, 3);
    HeatmapImage cells;
    const auto check = [&](int from, int to) {
        cells.update(stage.model, colours, ColourBy::Depth, to);
        const auto& image = cells.image();
        QVERIFY(image.width() >= to);
        for (int x = from; x < to; ++x)
            for (int r = 0; r < 3; ++r) {
                const auto cell = heatCell(stage.model, colours, ColourBy::Depth, x, r);
                int filled = 0;
                for (int level = 0; level < HeatmapImage::kLevels; ++level)
                    filled += image.pixel(x, (2 - r) * HeatmapImage::kLevels + level) == cell.colour.rgb();
                if (cell.offered) QCOMPARE(filled, static_cast<int>(std::lround(cell.fill * HeatmapImage::kLevels)));
            }
    };
    check(0, 200);
    check(0, 300);  // larger than at first: what was painted is still there
    stage.model.append({}, {syntheticPass(300, 0, stage.model.token(0).recursions[0])});
    check(0, 301);  // the last column is not finished
    stage.model.append({}, {syntheticPass(300, 1, stage.model.token(0).recursions[0])});
    check(0, 301);
}

void HeatmapTest::heatmapFillsRecursionByRecursion() {
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

void HeatmapTest::heatmapShowsTheChosenDepth() {
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

void HeatmapTest::heatmapHoversPinsAndMoves() {
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

void HeatmapTest::heatmapStaysUnderThePointer_data() {
    QTest::addColumn<double>("width");
    QTest::addColumn<int>("pinned");
    for (const double width : {24.0, 17.3, 4.0})
        for (const int pinned : {-1, 0, 499}) QTest::addRow("%g px, pin %d", width, pinned) << width << pinned;
}

void HeatmapTest::heatmapStaysUnderThePointer() {
    QFETCH(double, width);
    QFETCH(int, pinned);
    Stage stage({.tokens = 500});
    stage.heatmap.setColumnWidth(width);
    if (pinned >= 0) stage.selection.togglePin(pinned);
    auto* bar = stage.heatmap.horizontalScrollBar();
    const int place = bar->maximum() / 2 + 7;  // the first column is cut
    bar->setValue(place);
    const auto inside = [](double x) { return QPointF(x, 60); };
    glide(stage.heatmap, inside(400), inside(85));  // over the column at the left edge, and back
    glide(stage.heatmap, inside(85), inside(1090));
    glide(stage.heatmap, inside(1090), inside(86));
    QCOMPARE(bar->value(), place);
    const int first = stage.heatmap.tokenAt({86, 60});
    QCOMPARE(stage.selection.hovered(), first);
    click(stage.heatmap, inside(86));
    QCOMPARE(bar->value(), place);
    QCOMPARE(pinned < 0 ? stage.selection.pinned() : stage.selection.secondPinned(), first);
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(stage.heatmap.viewport(), &leave);
    QCOMPARE(bar->value(), place);
}

void HeatmapTest::heatmapZoomsAndFollows() {
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
    QCOMPARE(stage.heatmap.columnWidth(), 0.02);
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

void HeatmapTest::heatmapColoursByOtherNumbers() {
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

/// Margins of -16 to 53, as the bundled models have them.
mor::Trace marginTrace(int tokens) {
    auto trace = syntheticTrace({.tokens = tokens});
    for (auto& token : trace.tokens)
        for (auto& decision : token.recursions)
            if (std::isfinite(decision.margin)) decision.margin = decision.margin < 0 ? -16 : token.position % 2 ? 53 : 1;
    return trace;
}

void HeatmapTest::numbersAreOnTheScaleOfTheData() {
    Stage stage(marginTrace(47));
    stage.heatmap.setColourBy(ColourBy::Margin);
    QCOMPARE(stage.heatmap.colouring().least, -60.0);
    QCOMPARE(stage.heatmap.colouring().most, 60.0);
    const auto luminanceOf = [&](double margin) {
        for (int token = 0; token < 47; ++token)
            for (int r = 0; r < 3; ++r)
                if (double(stage.model.token(token).recursions[static_cast<std::size_t>(r)].margin) == margin)
                    return luminance(stage.heatmap.cellAt(token, r).colour);
        return -1.0;
    };
    const double leaves = luminanceOf(-16), just = luminanceOf(1), far = luminanceOf(53);
    QVERIFY(leaves > just && just > far && far >= 0);  // on light ground the ramp ends dark
    auto texts = writtenIn(stage.heatmap, {1230, 190});
    QVERIFY(texts.contains(QStringLiteral("\u221260")) && texts.contains(QStringLiteral("60")));
    // Gates beyond 1 stretch their scale, scores and gates within it leave theirs as it is.
    stage.heatmap.setColourBy(ColourBy::Gate);
    QCOMPARE(stage.heatmap.colouring(), Colouring(ColourBy::Gate));
    auto trace = syntheticTrace({});
    trace.tokens[9].recursions[0].gate = 3.4f;
    trace.tokens[9].recursions[0].outcome = mor::Outcome::Take;
    stage.model.load(trace);
    QCOMPARE(stage.heatmap.colouring().least, 0.0);
    QVERIFY(stage.heatmap.colouring().most >= 3.4 && stage.heatmap.colouring().most <= 5);
    trace.tokens[10].recursions[0].gate = -0.4f;  // tanh gates are signed
    stage.model.load(trace);
    QVERIFY(stage.heatmap.colouring().least <= -0.4);
    stage.heatmap.setColourBy(ColourBy::Score);
    QCOMPARE(stage.heatmap.colouring(), Colouring(ColourBy::Score));
}

void HeatmapTest::scalesGrowWithTheRun() {
    const auto whole = marginTrace(60);
    auto begun = whole;
    begun.tokens.resize(10);
    for (auto& token : begun.tokens)
        for (auto& decision : token.recursions) decision.margin /= 100;
    Stage stage(begun);
    stage.heatmap.setColourBy(ColourBy::Margin);
    QVERIFY(stage.heatmap.colouring().most < 1);
    const auto before = grabbed(stage.heatmap);
    stage.model.append({whole.tokens.begin() + 10, whole.tokens.end()}, {});
    QCOMPARE(stage.heatmap.colouring().most, 60.0);
    QCOMPARE(stage.heatmap.colouring().least, -60.0);
    stage.heatmap.horizontalScrollBar()->setValue(0);
    QVERIFY(grabbed(stage.heatmap) != before);  // what was there is painted on the new scale
}

void HeatmapTest::whatWasNotComputedHasNoColourOfTheRamp() {
    auto trace = syntheticTrace({});
    for (auto& token : trace.tokens)
        for (auto& decision : token.recursions) decision.gate = mor::kNotEvaluated;
    Stage stage(trace);
    stage.heatmap.setColourBy(ColourBy::Gate);
    const HeatColours colours(Theme{}, 3);
    for (int token = 0; token < 47; ++token)
        for (int r = 0; r < stage.model.token(token).depth; ++r)
            QCOMPARE(stage.heatmap.cellAt(token, r).colour, colours.refused);
}

void HeatmapTest::picturesHoldAllColumns_data() {
    QTest::addColumn<int>("tokens");
    QTest::addColumn<double>("width");
    for (const int tokens : {1, 40, 41, 93, 500}) QTest::addRow("%d", tokens) << tokens << 24.0;
    QTest::newRow("wide columns") << 93 << 64.0;
}

/// Every column has its name, once, and stands within the picture.
void HeatmapTest::picturesHoldAllColumns() {
    QFETCH(int, tokens);
    QFETCH(double, width);
    auto trace = syntheticTrace({.tokens = tokens, .prompt = std::min(tokens, 11)});
    for (auto& token : trace.tokens) token.label = "t" + std::to_string(token.position);
    Stage stage(trace);
    stage.heatmap.setColumnWidth(width);
    const double height = stage.heatmap.completeHeight(1100);
    const auto texts = writtenIn(stage.heatmap, {1100, height});
    for (int token = 0; token < tokens; ++token) QCOMPARE(texts.count(QStringLiteral("t%1").arg(token)), 1);
    const auto lines = wrapHeatmap({}, {0, 0, 1100, height}, 3, tokens, width, {.names = 40});
    int next = 0;
    for (const auto& line : lines) {
        QCOMPARE(line.first, next);
        QVERIFY(line.grid.column(line.first).left() >= line.cells.left() - 0.5);
        QVERIFY(line.grid.column(line.end - 1).right() <= line.cells.right() + 0.5);
        QVERIFY(line.grid.rowHeight >= 28 && line.cells.bottom() <= height);
        next = line.end;
    }
    QCOMPARE(next, tokens);
}

void HeatmapTest::heatmapPansByDragging() {
    Stage stage({.tokens = 200});
    auto* bar = stage.heatmap.horizontalScrollBar();
    auto* area = stage.heatmap.viewport();
    const int before = bar->value();
    const QPoint from(600, 60), to(840, 64);
    const int grasped = stage.heatmap.tokenAt(from);
    QTest::mousePress(area, Qt::LeftButton, Qt::NoModifier, from);
    QMouseEvent move(QEvent::MouseMove, to, area->mapToGlobal(to), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(area, &move);
    QTest::mouseRelease(area, Qt::LeftButton, Qt::NoModifier, to);
    QCOMPARE(bar->value(), before - 240);
    QCOMPARE(stage.heatmap.tokenAt(to), grasped);
    QCOMPARE(stage.selection.pinned(), -1);  // a drag is no click
    stage.model.append({SyntheticRun({.tokens = 201}).next()}, {});
    QCOMPARE(bar->value(), before - 240);  // the reader looks elsewhere: do not follow
    click(stage.heatmap, from);
    QCOMPARE(stage.selection.pinned(), stage.heatmap.tokenAt(from));
}

void HeatmapTest::heatmapFitsTheRun() {
    Stage stage({.tokens = 4096});
    QVERIFY(stage.heatmap.horizontalScrollBar()->maximum() > 0);
    QTest::keyClick(&stage.heatmap, Qt::Key_F);
    QCOMPARE(stage.heatmap.horizontalScrollBar()->maximum(), 0);
    const auto first = stage.heatmap.cellRect(0, 0), last = stage.heatmap.cellRect(4095, 0);
    QCOMPARE(stage.heatmap.tokenAt(first.center().toPoint()), static_cast<int>(0));
    QVERIFY(last.right() <= stage.heatmap.viewport()->width());
    QVERIFY(last.right() - first.left() > 0.7 * stage.heatmap.viewport()->width());
    // Several tokens on a pixel are their mean: a pixel of the first row between the colours of its tokens.
    const auto image = grabbed(*stage.heatmap.viewport());
    QVERIFY(image.pixelColor(first.center().toPoint() + QPoint(200, 0)).isValid());
    Stage small({.tokens = 20});
    small.heatmap.fit();
    QCOMPARE(small.heatmap.columnWidth(), 24.0);  // a short run is not blown up
}

void HeatmapTest::heatmapThresholdIsDragged() {
    Stage stage;
    auto* area = stage.heatmap.viewport();
    const double recorded = stage.estimate.threshold();
    const auto layout = layOutHeatmap({}, area->rect(), 3, 47, 24, 0);
    const auto histogram = histogramOf(layout, 1);
    const auto point = [&](double score) {
        return QPointF(histogramX(histogram, score), histogram.center().y()).toPoint();
    };
    QTest::mousePress(area, Qt::LeftButton, Qt::NoModifier, point(recorded));
    QMouseEvent move(QEvent::MouseMove, point(0.8), area->mapToGlobal(point(0.8)), Qt::NoButton, Qt::LeftButton,
                     Qt::NoModifier);
    QCoreApplication::sendEvent(area, &move);
    QTest::mouseRelease(area, Qt::LeftButton, Qt::NoModifier, point(0.8));
    QVERIFY(stage.estimate.isActive());
    QVERIFY(std::abs(stage.estimate.threshold() - 0.8) < 0.01);
    QTest::mouseDClick(area, Qt::LeftButton, Qt::NoModifier, point(stage.estimate.threshold()));
    QVERIFY(!stage.estimate.isActive());
    QCOMPARE(stage.estimate.threshold(), recorded);
}

void HeatmapTest::heatmapRingsWhatWouldChange() {
    Stage stage;
    const auto before = grabbed(*stage.heatmap.viewport());
    stage.estimate.setThreshold(0.99);
    const auto after = grabbed(*stage.heatmap.viewport());
    int changed = 0, unchanged = 0;
    for (int token = 20; token < stage.model.tokenCount(); ++token) {
        const int recorded = stage.model.token(token).depth;
        const auto fate = stage.estimate.fate(token);
        for (int r = 0; r < 3; ++r) {
            auto cell = stage.heatmap.cellRect(token, r).toAlignedRect().adjusted(2, 2, -2, -2);
            const bool same = before.copy(cell) == after.copy(cell);
            const bool differs = r >= std::min(fate.depth, recorded) && r < std::max(fate.depth, recorded);
            QVERIFY2(same != differs, qPrintable(QStringLiteral("token %1, recursion %2").arg(token).arg(r + 1)));
            ++(differs ? changed : unchanged);
        }
    }
    QVERIFY(changed > 10 && unchanged > 10);
}

namespace {

/// A comparison in which top-k gives every third token one recursion more, or one less where there are no more.
mor::RuleComparison comparisonOf(const TraceModel& model) {
    mor::RuleComparison made;
    for (int i = 0; i < model.tokenCount(); ++i) {
        mor::ComparedToken token;
        token.token = model.token(i).token;
        token.causal.depth = token.topk.depth = model.token(i).depth;
        if (i % 3 == 0) token.topk.depth += token.topk.depth < model.recursions() ? 1 : -1;
        made.tokens.push_back(token);
    }
    return made;
}

}  // namespace

void HeatmapTest::heatmapMarksTheLeak() {
    Stage stage;
    const auto before = grabbed(*stage.heatmap.viewport());
    QVERIFY(stage.overlay.set(comparisonOf(stage.model)));
    QCOMPARE(stage.overlay.differing(), 16);
    QVERIFY(stage.heatmap.caption().contains(QStringLiteral("16 of 47 tokens differ")));
    const auto after = grabbed(*stage.heatmap.viewport());
    for (int token = 20; token < stage.model.tokenCount(); ++token) {
        const auto column = stage.heatmap.cellRect(token, 2)
                                .united(stage.heatmap.cellRect(token, 0))
                                .toAlignedRect()
                                .adjusted(2, 2, -2, -2);
        QCOMPARE(before.copy(column) != after.copy(column), token % 3 == 0);
    }
    stage.overlay.clear();
    QCOMPARE(grabbed(*stage.heatmap.viewport()), before);
}

void HeatmapTest::overlayBelongsToOneText() {
    Stage stage;
    auto other = comparisonOf(stage.model);
    other.tokens[5].token += 1;
    QVERIFY(!stage.overlay.set(other));
    QVERIFY(!stage.overlay.isActive());
    QVERIFY(!stage.overlay.set({}));
    QVERIFY(stage.overlay.set(comparisonOf(stage.model)));
    QCOMPARE(stage.overlay.topkDepth(0).has_value(), true);
    QCOMPARE(stage.overlay.topkDepth(47).has_value(), false);
    stage.model.load(syntheticTrace({}));
    QVERIFY(!stage.overlay.isActive());
}

QTEST_MAIN(HeatmapTest)
#include "tst_heatmap.moc"
