// SPDX-License-Identifier: Apache-2.0
#include "bench/bench_frames.hpp"

#include <QDir>
#include <QElapsedTimer>
#include <QPixmap>
#include <QScreen>
#include <QTimer>
#include <algorithm>
#include <functional>
#include <vector>

#include "feed/feed.hpp"
#include "gui/page/trace_page.hpp"
#include "gui/window/main_window.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "mor/trace.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/heatmap/depth_heatmap_view.hpp"
#include "views/kv/kv_view.hpp"

namespace mor::bench {
namespace {

using namespace mor::ui;

struct Batch {
    std::vector<mor::TokenRecord> tokens;
    std::vector<mor::PassRecord> passes;
};

struct SetUp {
    const char* name;
    double columnWidth;
    KvView::Mode kv;
};

/// The next tokens of a run, with the passes that made them.
Batch nextBatch(mor::test::SyntheticRun& run, int count) {
    Batch batch;
    for (int i = 0; i < count; ++i) {
        batch.tokens.push_back(run.next());
        const auto& record = batch.tokens.back();
        for (std::size_t r = 0; r < record.recursions.size(); ++r)
            batch.passes.push_back(mor::test::syntheticPass(record.position, static_cast<int>(r), record.recursions[r]));
    }
    return batch;
}

void prepare(TracePage& page, const SetUp& setUp) {
    page.kv()->setMode(setUp.kv);
    setUp.columnWidth > 0 ? page.heatmap()->setColumnWidth(setUp.columnWidth) : page.heatmap()->fit();
    QApplication::processEvents();
}

/// What has come together on the screen piece by piece, to be compared with another build's.
void keepPicture(TracePage& page, const FrameOptions& o, const SetUp& setUp) {
    if (o.pictures.empty()) return;
    QTimer::singleShot(500, &page, [] { QApplication::exit(); });  // what is put off is drawn
    QApplication::exec();
    const auto name = QString::fromLatin1(setUp.name).remove(QLatin1Char(',')).replace(QLatin1Char(' '), QLatin1Char('-'));
    const auto look = o.dark ? QStringLiteral("-dark.png") : QStringLiteral("-light.png");
    page.screen()->grabWindow(page.winId()).save(QDir(QString::fromStdString(o.pictures)).filePath(name + look));
}

/// Hands over what has become due, as often as the feed drains, until the run is complete.
std::vector<double> measure(Meter& meter, const FrameOptions& o, mor::test::SyntheticRun& run,
                            const std::function<void(Batch&&)>& deliver) {
    QElapsedTimer clock;
    QTimer batches;
    int delivered = o.alreadyThere;
    QObject::connect(&batches, &QTimer::timeout, &batches, [&] {
        const int due = std::min(o.tokens, o.alreadyThere + static_cast<int>(clock.elapsed() * o.rate / 1000));
        deliver(nextBatch(run, due - delivered));
        delivered = due;
        if (due == o.tokens) QApplication::exit();
    });
    clock.start();
    batches.start(Feed::kDrainInterval);
    meter.start();
    Meter::exec();
    return meter.stop();
}

void tell(const Meter& meter, const FrameOptions& o, const char* name, const std::vector<double>& busy,
          const Report& report) {
    const double median = quantile(busy, 0.5), high = quantile(busy, 0.95), most = quantile(busy, 1);
    double total = 0, painted = 0;
    for (const double ms : busy) total += ms;
    auto text = formatted("  %-28s %4zu frames with work: median %5.2f ms, p95 %5.2f ms, most %5.2f ms", name, busy.size(),
                          median, high, most);
    nlohmann::ordered_json painting;
    for (const auto& [view, time] : meter.painting()) {
        painted += time * 1e3;
        painting[view] = time * 1e3 / total;
        if (o.breakdown && time * 1e3 > 0.01 * total)
            text += formatted("\n    %4.1f %%  painting %s", time * 1e5 / total, view.c_str());
    }
    if (o.breakdown) text += formatted("\n    %4.1f %%  the rest: models, layouts, scrolling", 100 * (1 - painted / total));
    report.add(text, {{"what", "frames"},
                      {"set_up", name},
                      {"frames", busy.size()},
                      {"median_ms", median},
                      {"p95_ms", high},
                      {"most_ms", most},
                      {"total_ms", total},
                      {"painting", painting}});
}

void benchPage(Meter& meter, const FrameOptions& o, const SetUp& setUp, const Report& report) {
    mor::test::SyntheticRun run({.tokens = o.tokens});
    mor::Trace trace;
    trace.header = mor::test::syntheticHeader({.tokens = o.tokens});
    trace.tokens = nextBatch(run, o.alreadyThere).tokens;
    TraceModel model;
    Selection selection(&model);
    TracePage page(&model, &selection);
    page.setTheme({.appearance = o.dark ? Appearance::Dark : Appearance::Light});
    page.resize(1920, 980);
    page.show();
    model.load(std::move(trace));
    prepare(page, setUp);
    const auto busy =
        measure(meter, o, run, [&](Batch&& batch) { model.append(std::move(batch.tokens), std::move(batch.passes)); });
    tell(meter, o, setUp.name, busy, report);
    keepPicture(page, o, setUp);
}

/// With everything that listens in the window: time, status, buttons.
void benchWindow(Meter& meter, const FrameOptions& o, const SetUp& setUp, const Report& report) {
    mor::test::SyntheticRun run({.tokens = o.tokens});
    MainWindow window(Settings{}, {}, {});
    window.resize(1920, 1080);
    window.show();
    emit window.feed().started(mor::test::syntheticHeader({.tokens = o.tokens}));
    const auto deliver = [&](const Batch& batch) { emit window.feed().batch(batch.tokens, batch.passes); };
    deliver(nextBatch(run, o.alreadyThere));
    prepare(*window.page(), setUp);
    tell(meter, o, setUp.name, measure(meter, o, run, deliver), report);
}

}  // namespace

void benchFrames(Meter& meter, const FrameOptions& o, const Report& report) {
    report.add(
        formatted("frames of 1/%.0f s, %d tokens, the last %d coming in at %d a second: processor time of the GUI's thread",
                  Meter::kFramesPerSecond, o.tokens, o.tokens - o.alreadyThere, o.rate),
        {{"what", "frame_options"},
         {"frames_per_second", Meter::kFramesPerSecond},
         {"tokens", o.tokens},
         {"already_there", o.alreadyThere},
         {"tokens_per_second", o.rate}});
    for (const SetUp& setUp :
         {SetUp{"heatmap 24 px, KV used", 24, KvView::Used}, SetUp{"heatmap 4 px, KV slots", 4, KvView::Slots},
          SetUp{"heatmap fitted, KV reserved", 0, KvView::Reserved}})
        benchPage(meter, o, setUp, report);
    benchWindow(meter, o, {"whole window, 24 px, KV used", 24, KvView::Used}, report);
}

}  // namespace mor::bench
