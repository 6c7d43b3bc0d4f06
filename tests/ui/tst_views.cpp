// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractScrollArea>
#include <QElapsedTimer>
#include <QLocale>
#include <QPainter>
#include <QScrollBar>
#include <QTest>
#include <QWheelEvent>
#include <cmath>
#include <memory>
#include <tuple>

#include "models/figures.hpp"
#include "ui/stage.hpp"
#include "views/heatmap/heatmap_painter.hpp"
#include "views/kit/interaction.hpp"
#include "views/kit/panel.hpp"
#include "views/kit/score_histogram.hpp"
#include "views/kit/token_name.hpp"

using namespace mor::ui;
using namespace mor::test;

class ViewsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void flowBoxesEqualTheTrace();
    void flowHoversAndPins();
    void flowStaysUnderThePointer_data();
    void flowStaysUnderThePointer();
    void pointingElsewhereShowsTheToken();
    void partsOfCharactersAreNamedByTheCharacter();
    void flowFollowsUnlessScrolled();
    void picturesHoldTheWholeText();
    void depthsOfSeveralRunsHaveOneScale();
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

void ViewsTest::flowBoxesEqualTheTrace() {
    Stage stage;
    const Theme theme;
    for (int token = 0; token < stage.model.tokenCount(); ++token) {
        const auto& record = stage.model.token(token);
        const auto box = stage.flow.boxAt(token);
        QCOMPARE(box.ground, theme.depth(record.depth, 3));
        QCOMPARE(box.depth, QString::number(record.depth));
        QCOMPARE(box.prompt, record.prompt);
        QCOMPARE(box.text, flowText(QString::fromStdString(record.text), {}));
        QVERIFY(box.area.right() <= stage.flow.viewport()->width());
    }
    // A line break ends the line; the pieces of a word touch.
    int broken = 0;
    for (int token = 0; token + 1 < stage.model.tokenCount(); ++token)
        if (stage.model.token(token).text == "\n") {
            QVERIFY(stage.flow.boxAt(token + 1).area.top() > stage.flow.boxAt(token).area.top());
            QCOMPARE(stage.flow.boxAt(token + 2).area.top(), stage.flow.boxAt(token + 1).area.top());
            ++broken;
        }
    QCOMPARE(broken, 1);
}

void ViewsTest::flowHoversAndPins() {
    Stage stage;
    stage.flow.verticalScrollBar()->setValue(0);
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

void ViewsTest::flowStaysUnderThePointer_data() {
    QTest::addColumn<double>("scrolled");
    QTest::addColumn<int>("pinned");
    for (const double scrolled : {0.0, 0.37, 0.5, 1.0})
        for (const int pinned : {-1, 0, 399})
            QTest::addRow("%g of the way, pin %d", scrolled, pinned) << scrolled << pinned;
}

void ViewsTest::flowStaysUnderThePointer() {
    QFETCH(double, scrolled);
    QFETCH(int, pinned);
    Stage stage({.tokens = 400});
    if (pinned >= 0) stage.selection.togglePin(pinned);
    auto* bar = stage.flow.verticalScrollBar();
    const int place = qRound(bar->maximum() * scrolled) + (scrolled < 1 ? 5 : 0);  // not at the beginning of a line
    bar->setValue(place);
    const QRectF page = stage.flow.viewport()->rect();
    for (const double y : {3.0, page.height() / 2, page.height() - 4}) {
        glide(stage.flow, {2, y}, {page.width() - 3, y});
        QCOMPARE(bar->value(), place);
    }
    const QPointF last(page.width() / 3, 3);
    glide(stage.flow, page.center(), last);
    QCOMPARE(stage.selection.hovered(), stage.flow.tokenAt(last.toPoint()));
    const int token = stage.flow.tokenAt(page.center().toPoint());
    click(stage.flow, page.center());
    QCOMPARE(bar->value(), place);
    if (token >= 0 && token != pinned)
        QCOMPARE(pinned < 0 ? stage.selection.pinned() : stage.selection.secondPinned(), token);
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(stage.flow.viewport(), &leave);
    QCOMPARE(bar->value(), place);  // and not when the pointer goes, either
}

/// What is pointed at in one view comes into sight in the others, and stays where it is in this one.
void ViewsTest::pointingElsewhereShowsTheToken() {
    Stage stage({.tokens = 400});
    auto *text = stage.flow.verticalScrollBar(), *columns = stage.heatmap.horizontalScrollBar();
    text->setValue(0);
    const int before = columns->value();
    moveMouse(stage.flow, stage.flow.viewportRect(5).center());
    QCOMPARE(stage.selection.hovered(), 5);
    QCOMPARE(text->value(), 0);
    QVERIFY(columns->value() < before);
    QVERIFY(stage.heatmap.viewport()->rect().contains(stage.heatmap.cellRect(5, 0).toAlignedRect()));
    columns->setValue(columns->maximum());
    moveMouse(stage.heatmap, stage.heatmap.cellRect(395, 0).center());
    QCOMPARE(stage.selection.hovered(), 395);
    QCOMPARE(columns->value(), columns->maximum());
    QVERIFY(stage.flow.viewport()->rect().contains(stage.flow.viewportRect(395).toAlignedRect()));
}

void ViewsTest::depthsOfSeveralRunsHaveOneScale() {
    Stage two({.recursions = 2}), four({.recursions = 4});
    QVERIFY(two.legend.entries().last().colour != four.legend.entries()[2].colour);
    const Theme theme{.depthScale = 4};
    for (auto* stage : {&two, &four})
        for (auto* picture : stage->pictures()) picture->setTheme(theme);
    for (int depth = 0; depth <= 2; ++depth)
        QCOMPARE(two.legend.entries()[depth].colour, four.legend.entries()[depth].colour);
    for (int token = 0; token < 47; ++token) {
        const int depth = two.model.token(token).depth;
        QCOMPARE(two.flow.boxAt(token).ground, Theme().depth(depth, 4));
        for (int r = 0; r < depth; ++r) QCOMPARE(two.heatmap.cellAt(token, r).colour, Theme().depth(r + 1, 4));
    }
}

void ViewsTest::partsOfCharactersAreNamedByTheCharacter() {
    auto trace = syntheticTrace({.tokens = 14, .prompt = 4});
    const std::vector<std::pair<std::string, std::string>> labels{
        {"<0xF0>", ""},     {"<0x9F>", ""},   {"<0x98>", ""}, {"<0x80>", "\U0001F600"},  // SentencePiece
        {" a\\xC3", " a"},  {"\\xA9t", "ét"},                                            // byte-level BPE, parts of words
        {"\\xE2\\x82", ""}, {"\\xAC", "€"},   {"<0xC3>", ""}, {"x", "\uFFFDx"},  // and what never becomes a character
        {"<0xF0>", ""},     {"<s>", ""},      {"\\n", "\n"},  {"<0xE2>", ""}};
    for (std::size_t i = 0; i < labels.size(); ++i) std::tie(trace.tokens[i].label, trace.tokens[i].text) = labels[i];
    Stage stage(trace);
    const QStringList names{"\U0001F600 1/4",
                            "\U0001F600 2/4",
                            "\U0001F600 3/4",
                            "\U0001F600 4/4",
                            " aé 1/2",
                            "é 2/2t",
                            "€ 1/2",
                            "€ 2/2",
                            "<0xC3>",
                            "x",
                            "<0xF0>",
                            "<s>",
                            "\\n",
                            "<0xE2>"};
    for (int token = 0; token < 14; ++token) QCOMPARE(tokenName(stage.model, token), names[token]);
    QCOMPARE(stage.flow.boxAt(1).text, names[1]);
    QCOMPARE(stage.flow.boxAt(8).text, QStringLiteral("<0xC3>"));
    stage.selection.togglePin(2);
    QVERIFY(stage.detail.title().contains(names[2]));
    QVERIFY(writtenIn(stage.heatmap, {1230, 190}).contains(names[3]));
    QVERIFY(tokenTip(stage.model, 6).contains(names[6]));
}

/// A page of any width and as high as it has to be holds every token, in order.
void ViewsTest::picturesHoldTheWholeText() {
    for (const int tokens : {1, 93, 500})
        for (const double width : {300.0, 820.0}) {
            Stage stage({.tokens = tokens, .prompt = std::min(tokens, 11)});
            auto texts = writtenIn(stage.flow, {width, stage.flow.completeHeight(width)});
            for (int token = 0; token < tokens; ++token) {
                QVERIFY(texts.size() >= 2);
                QCOMPARE(texts.takeFirst(), stage.flow.boxAt(token).text);
                QCOMPARE(texts.takeFirst(), QString::number(stage.model.token(token).depth));
            }
            QVERIFY(texts.isEmpty());
        }
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
    stage.flow.verticalScrollBar()->setValue(0);
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
        double estimate = 0;
        KvView::Mode kv = KvView::Used;
        CostChart::Quantity quantity = CostChart::Quantity::PerToken;
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
        {"long", {.tokens = 4096}, light, 0.25, ColourBy::Depth, 0, KvView::Slots, CostChart::Quantity::Total},
        {"by-score", {}, light, 24, ColourBy::Score, 0, KvView::Reserved, CostChart::Quantity::Total},
        {"by-margin", {}, dark, 24, ColourBy::Margin, 0, KvView::Used, CostChart::Quantity::Time},
        {"estimate", {}, light, 24, ColourBy::Depth, 0.85, KvView::Slots, CostChart::Quantity::Time},
        {"estimate-dark", {.kvPolicy = mor::KvPolicy::RecursiveSharing}, dark, 24, ColourBy::Depth, 0.2, KvView::Slots},
        {"empty", {.tokens = 0, .prompt = 0}, dark}};
    for (const auto& one : cases) {
        Stage stage(one.options);
        if (one.options.tokens == 0) stage.model.clear();
        for (auto* picture : stage.pictures()) picture->setTheme(one.theme);
        stage.heatmap.setColumnWidth(one.columnWidth);
        stage.heatmap.setColourBy(one.colourBy);
        if (qstrcmp(one.name, "dark") == 0) stage.selection.togglePin(29), stage.selection.togglePin(36);
        if (one.estimate > 0) stage.estimate.setThreshold(one.estimate);
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
        stage.kvView.setMode(one.kv);
        stage.compute.setQuantity(one.quantity);
        place(stage.kvView, QStringLiteral("KV cache"), stage.kvView.caption(), 12, 472, 480, 228);
        place(stage.routing, QStringLiteral("Routing"), stage.routing.caption(), 500, 472, 460, 228);
        place(stage.compute, QStringLiteral("Compute"), {}, 968, 472, 300, 228);
        painter.end();
        QVERIFY(sheet.save(QStringLiteral("%1/%2.png").arg(folder, QString::fromLatin1(one.name))));
    }
}

QTEST_MAIN(ViewsTest)
#include "tst_views.moc"
