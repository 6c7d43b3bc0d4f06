// SPDX-License-Identifier: GPL-3.0-or-later
// While text streams in, views paint what changed and move the rest. What has come together on the screen must be the
// picture that is painted when everything is painted at once.
#include <QBackingStore>
#include <QScrollBar>
#include <QTest>
#include <memory>

#include "gui/page/trace_page.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kit/panel.hpp"
#include "views/kv/kv_view.hpp"
#include "views/text/token_flow_view.hpp"

using namespace mor::ui;
using namespace mor::test;

namespace {

constexpr int kTokens = 700, kAlreadyThere = 300;
constexpr int kSettled = 120;  ///< ms after which nothing is put off any more

/// A page on which a run comes in.
struct Stream {
    SyntheticOptions options{.tokens = kTokens};
    SyntheticRun run{options};
    TraceModel model;
    Selection selection{&model};
    TracePage page{&model, &selection};

    explicit Stream(const Theme& theme) {
        page.setTheme(theme);
        page.resize(1300, 700);
        page.show();
        mor::Trace trace;
        trace.header = syntheticHeader(options);
        for (int i = 0; i < kAlreadyThere; ++i) trace.tokens.push_back(run.next());
        model.load(std::move(trace));
        QCoreApplication::processEvents();
    }

    /// `count` tokens, and before them the first pass of the one that follows, so that it is under way.
    void add(int count) {
        for (int i = 0; i < count; ++i) {
            const auto record = run.next();
            model.append({}, {syntheticPass(record.position, 0, record.recursions[0])});
            if (i % 2 == 0) QCoreApplication::processEvents();
            model.append({record}, {});
        }
        QCoreApplication::processEvents();
    }

    QImage onScreen() {
        QTest::qWait(kSettled);
        for (int i = 0; i < 3; ++i) QCoreApplication::processEvents();  // what the last timers have asked for
        const auto* shown = dynamic_cast<const QImage*>(page.backingStore()->paintDevice());
        return shown ? shown->convertToFormat(QImage::Format_RGB32) : QImage();
    }
    QImage atOnce() { return page.grab().toImage().convertToFormat(QImage::Format_RGB32); }
};

/// Where two pictures differ; empty: nowhere.
QRect difference(const QImage& a, const QImage& b) {
    QRect where;
    if (a == b) return where;
    for (int y = 0; y < a.height(); ++y)
        for (int x = 0; x < a.width(); ++x)
            if (a.pixel(x, y) != b.pixel(x, y)) where |= QRect(x, y, 1, 1);
    return where;
}

}  // namespace

class RepaintTest : public QObject {
    Q_OBJECT

    void compare(Stream& stream) {
        const auto shown = stream.onScreen(), whole = stream.atOnce();
        QCOMPARE(shown.size(), whole.size());
        const QRect where = difference(shown, whole);
        if (!where.isEmpty()) {
            shown.save(QStringLiteral("repaint-shown.png"));
            whole.save(QStringLiteral("repaint-whole.png"));
        }
        QVERIFY2(where.isEmpty(), qPrintable(QStringLiteral("they differ from %1,%2 to %3,%4")
                                                 .arg(where.left())
                                                 .arg(where.top())
                                                 .arg(where.right())
                                                 .arg(where.bottom())));
    }

private slots:
    void growing_data();
    void growing();
    void growingWithPins();
    void growingWhileTheReaderLooksBack();
    void goingBackInTime();
    void anotherRun();
};

void RepaintTest::growing_data() {
    QTest::addColumn<double>("width");
    QTest::addColumn<int>("kv");
    QTest::addColumn<bool>("dark");
    QTest::addColumn<double>("scale");
    QTest::newRow("cells") << 24.0 << 0 << false << 1.0;
    QTest::newRow("cells, dark") << 24.0 << 1 << true << 1.0;
    QTest::newRow("odd width") << 17.3 << 2 << false << 1.0;
    QTest::newRow("without names") << 9.0 << 2 << false << 1.0;
    QTest::newRow("image") << 4.0 << 2 << true << 1.0;
    QTest::newRow("stretched image") << 3.7 << 0 << false << 1.0;
    QTest::newRow("fitted") << 0.0 << 2 << false << 1.0;
    QTest::newRow("large type") << 24.0 << 0 << false << 1.6;
    QTest::newRow("large type, image") << 3.0 << 2 << true << 1.6;
}

void RepaintTest::growing() {
    QFETCH(double, width);
    QFETCH(int, kv);
    QFETCH(bool, dark);
    QFETCH(double, scale);
    Stream stream({.appearance = dark ? Appearance::Dark : Appearance::Light, .scale = scale});
    stream.page.kv()->setMode(static_cast<KvView::Mode>(kv));
    width > 0 ? stream.page.heatmap()->setColumnWidth(width) : stream.page.heatmap()->fit();
    QCoreApplication::processEvents();
    for (const int count : {1, 7, 40, 90}) {
        stream.add(count);
        compare(stream);
        if (QTest::currentTestFailed()) return;
    }
}

void RepaintTest::growingWithPins() {
    Stream stream({});
    stream.selection.togglePin(290);
    stream.selection.togglePin(297);
    stream.add(25);
    compare(stream);
    stream.selection.clear();
    stream.add(25);
    compare(stream);
    stream.selection.setHovered(320);
    stream.add(3);
    compare(stream);
    stream.selection.setHovered(-1);
    compare(stream);
}

void RepaintTest::growingWhileTheReaderLooksBack() {
    Stream stream({});
    auto* bar = stream.page.heatmap()->horizontalScrollBar();
    bar->triggerAction(QAbstractSlider::SliderPageStepSub);
    stream.page.flow()->verticalScrollBar()->triggerAction(QAbstractSlider::SliderPageStepSub);
    stream.add(40);
    compare(stream);
    bar->triggerAction(QAbstractSlider::SliderToMaximum);
    stream.page.flow()->verticalScrollBar()->triggerAction(QAbstractSlider::SliderToMaximum);
    stream.add(40);
    compare(stream);
}

void RepaintTest::goingBackInTime() {
    Stream stream({});
    stream.add(60);
    stream.model.rewind(330, 60);
    compare(stream);
    stream.add(1);
    stream.model.rewind(20, 0);
    compare(stream);
}

void RepaintTest::anotherRun() {
    Stream stream({});
    stream.add(30);
    stream.model.begin(syntheticHeader({.tokens = kTokens, .recursions = 4}));
    compare(stream);
    SyntheticRun other({.tokens = kTokens, .recursions = 4});
    for (int batch = 0; batch < 6; ++batch) {
        std::vector<mor::TokenRecord> tokens;
        for (int i = 0; i < 30; ++i) tokens.push_back(other.next());
        stream.model.append(std::move(tokens), {});
        compare(stream);
        if (QTest::currentTestFailed()) return;
    }
}

QTEST_MAIN(RepaintTest)
#include "tst_repaint.moc"
