// SPDX-License-Identifier: Apache-2.0
// What the instrument itself costs. Not a test: run it by hand, on an otherwise idle machine,
//
//     QT_QPA_PLATFORM=offscreen build/release/tests/bench/bench_window [MODEL_DIR]
//
// frames    the GUI thread's work (its processor time) per frame of 1/60 s while the last tokens of a run of 4,096 come in
//           at 200 a second
// overhead  tokens per second, by the engine's clock, of the same generation with nobody listening (null sink), recorded to
// a file, and drawn in
//           the window; engine threads = cores - 1. Rounds alternate, so that what else the machine does hits all alike.
#include <QApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QStyleFactory>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gui/main_window.hpp"
#include "gui/prompt_box.hpp"
#include "gui/trace_page.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "mor/session.hpp"
#include "mor/trace.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/depth_heatmap_view.hpp"
#include "views/kv_view.hpp"

namespace {

using namespace mor::ui;
using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

/// Processor time of the calling thread: what other programs do meanwhile does not count.
double threadSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Measures what the event loop works: every event that is not part of another one, by the frame in which it began.
class Meter : public QApplication {
public:
    using QApplication::QApplication;

    void start() {
        work_.clear();
        painting_.clear();
        started_ = Clock::now();
        measuring_ = true;
    }
    /// Seconds spent painting, by class of widget, children included.
    const std::map<std::string, double>& painting() const { return painting_; }

    /// Milliseconds of work in each frame that had any.
    std::vector<double> stop() {
        measuring_ = false;
        std::vector<double> busy;
        for (const double ms : work_)
            if (ms > 0) busy.push_back(ms);
        return busy;
    }

    bool notify(QObject* receiver, QEvent* event) override {
        if (!measuring_) return QApplication::notify(receiver, event);
        const bool paints = event->type() == QEvent::Paint;
        const double outer = paints ? threadSeconds() : 0;
        if (nested_) {
            const bool result = QApplication::notify(receiver, event);
            if (paints) painting_[receiver->metaObject()->className()] += threadSeconds() - outer;
            return result;
        }
        nested_ = true;
        const auto frame = static_cast<std::size_t>(seconds(Clock::now() - started_) * kFramesPerSecond);
        const double begin = threadSeconds();
        const bool result = QApplication::notify(receiver, event);
        if (work_.size() <= frame) work_.resize(frame + 1);
        work_[frame] += (threadSeconds() - begin) * 1e3;
        nested_ = false;
        return result;
    }

private:
    static constexpr double kFramesPerSecond = 60;
    std::map<std::string, double> painting_;  ///< seconds, by class of widget
    std::vector<double> work_;
    Clock::time_point started_;
    bool measuring_ = false;
    bool nested_ = false;
};

constexpr int kTokens = 4096, kAlreadyThere = 3096, kRate = 200;

struct View {
    const char* name;
    double columnWidth;
    KvView::Mode kv;
};

/// The page of a window of 1920 x 1080 while the last 1,000 tokens come in, in batches as the feed delivers them.
void benchFrames(Meter& meter, const View& view) {
    mor::test::SyntheticRun run({.tokens = kTokens});
    mor::Trace trace;
    trace.header = mor::test::syntheticHeader({.tokens = kTokens});
    for (int i = 0; i < kAlreadyThere; ++i) trace.tokens.push_back(run.next());
    TraceModel model;
    Selection selection(&model);
    TracePage page(&model, &selection);
    page.resize(1920, 980);
    page.show();
    model.load(std::move(trace));
    page.kv()->setMode(view.kv);
    view.columnWidth > 0 ? page.heatmap()->setColumnWidth(view.columnWidth) : page.heatmap()->fit();
    QApplication::processEvents();

    QElapsedTimer clock;
    QTimer batches;
    QObject::connect(&batches, &QTimer::timeout, &page, [&] {
        const int due = std::min(kTokens, kAlreadyThere + static_cast<int>(clock.elapsed() * kRate / 1000));
        std::vector<mor::TokenRecord> tokens;
        std::vector<mor::PassRecord> passes;
        while (model.tokenCount() + std::ssize(tokens) < due) {
            tokens.push_back(run.next());
            const auto& record = tokens.back();
            for (std::size_t r = 0; r < record.recursions.size(); ++r)
                passes.push_back(mor::test::syntheticPass(record.position, static_cast<int>(r), record.recursions[r]));
        }
        model.append(std::move(tokens), std::move(passes));
        if (due == kTokens) QApplication::exit();
    });
    clock.start();
    batches.start(Feed::kDrainInterval);
    meter.start();
    meter.exec();
    const auto busy = meter.stop();
    std::printf("  %-28s %4zu frames with work: median %5.2f ms, p95 %5.2f ms, most %5.2f ms\n", view.name, busy.size(),
                quantile(busy, 0.5), quantile(busy, 0.95), quantile(busy, 1));
    double total = 0, painted = 0;
    for (const double ms : busy) total += ms;
    for (const auto& [name, time] : meter.painting()) {
        painted += time * 1e3;
        if (time * 1e3 > 0.01 * total) std::printf("    %4.1f %%  painting %s\n", time * 1e5 / total, name.c_str());
    }
    std::printf("    %4.1f %%  the rest: models, layouts, scrolling\n", 100 * (1 - painted / total));
}

constexpr int kGenerated = 480, kRounds = 9;

mor::Request request(const mor::Model& model) {
    mor::Request made;
    made.prompt = model.tokenizer() ? model.tokenizer()->encode("The king said to his servant") : std::vector<int>{1, 2, 3};
    made.max_tokens = kGenerated;
    made.ignore_eos = true;
    return made;
}

/// Decoded tokens per second by the engine's clock.
double rateOf(const std::vector<mor::TokenRecord>& tokens) {
    const auto first = std::find_if(tokens.begin(), tokens.end(), [](const auto& record) { return !record.prompt; });
    return static_cast<double>(tokens.end() - first - 1) / (tokens.back().time_ms - first->time_ms) * 1e3;
}

/// Without a window; `file` receives the trace when given.
double runAlone(const std::shared_ptr<const mor::Model>& model, const std::filesystem::path& file) {
    mor::Scheduler scheduler(model);
    const auto wanted = request(*model);
    std::unique_ptr<mor::TraceWriter> writer;
    if (!file.empty()) writer = std::make_unique<mor::TraceWriter>(file, mor::make_header(model->info(), wanted, {}, {}));
    scheduler.submit(wanted);
    std::vector<mor::TokenRecord> tokens;
    while (!scheduler.idle()) {
        auto events = scheduler.advance();
        if (writer) writer->add(events);
        for (auto& token : events.tokens) tokens.push_back(std::move(token.record));
    }
    return rateOf(tokens);
}

/// The same through the feed, recorded and drawn at 1280 x 800, paced by nothing.
double runDrawn(MainWindow& window, const std::shared_ptr<const mor::Model>& model) {
    RunRequest wanted;
    wanted.settings = request(*model);
    const auto quits = QObject::connect(&window.feed(), &Feed::finished, &window, [] { QApplication::exit(); });
    window.feed().generate(std::move(wanted));
    QApplication::exec();
    QObject::disconnect(quits);
    return rateOf(window.trace().trace().tokens);
}

void benchOverhead(const std::string& directory) {
    const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
    const mor::DeviceSettings device{.threads = threads};
    const auto model = mor::Model::load(directory, device);
    QTemporaryDir folder;
    const std::filesystem::path file = folder.filePath(QStringLiteral("run.mortrace")).toStdString();
    MainWindow window(Settings{}, {}, file);
    window.resize(1280, 800);
    window.show();
    QObject::connect(&window.feed(), &Feed::modelLoaded, &window, [] { QApplication::exit(); });
    window.feed().load(directory, device);
    QApplication::exec();
    std::vector<double> alone, recorded, drawn;
    runAlone(model, {});
    for (int round = 0; round < kRounds; ++round) {
        alone.push_back(runAlone(model, {}));
        recorded.push_back(runAlone(model, file));
        drawn.push_back(runDrawn(window, model));
    }
    const double base = quantile(alone, 0.5);
    std::printf("overhead, %s, %d engine thread(s), %d tokens, medians of %d rounds\n", directory.c_str(), threads,
                kGenerated, kRounds);
    const auto line = [&](const char* name, const std::vector<double>& rates) {
        std::printf("  %-28s %7.1f tokens/s   %+5.1f %%\n", name, quantile(rates, 0.5),
                    (quantile(rates, 0.5) / base - 1) * 100);
    };
    line("null sink", alone);
    line("recorded to a file", recorded);
    line("recorded and drawn", drawn);
}

}  // namespace

int main(int argc, char** argv) {
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    Meter meter(argc, argv);
    std::printf("frames of 1/60 s, %d tokens, %d tokens/s coming in\n", kTokens, kRate);
    for (const View& view :
         {View{"heatmap 24 px, KV used", 24, KvView::Used}, View{"heatmap 4 px, KV slots", 4, KvView::Slots},
          View{"heatmap fitted, KV reserved", 0, KvView::Reserved}})
        benchFrames(meter, view);
    benchOverhead(argc > 1 ? argv[1] : MOR_MODELS_DIR "/prose-expert-r3");
    return 0;
}
