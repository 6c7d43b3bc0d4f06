// SPDX-License-Identifier: Apache-2.0
#include "bench/bench_overhead.hpp"

#include <QApplication>
#include <QTemporaryDir>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "bench/bench_meter.hpp"
#include "gui/window/main_window.hpp"
#include "mor/session.hpp"
#include "mor/trace.hpp"

namespace mor::bench {
namespace {

using namespace mor::ui;
using ModelHandle = std::shared_ptr<const mor::Model>;

/// One generation.
struct Run {
    double rate = 0;    ///< decoded tokens per second by the engine's clock
    double engine = 0;  ///< microseconds of the engine thread's processor time per token
    double gui = 0;     ///< share of one core that the GUI's thread needs
};

mor::Request requestFor(const mor::Model& model, const OverheadOptions& o) {
    mor::Request made;
    made.prompt = model.tokenizer() ? model.tokenizer()->encode("The king said to his servant") : std::vector<int>{1, 2, 3};
    made.max_tokens = o.tokens;
    made.ignore_eos = true;
    return made;
}

Run runOf(const std::vector<mor::TokenRecord>& tokens, double engineSeconds) {
    const auto first = std::find_if(tokens.begin(), tokens.end(), [](const auto& record) { return !record.prompt; });
    const auto decoded = static_cast<double>(tokens.end() - first);
    return {(decoded - 1) / (tokens.back().time_ms - first->time_ms) * 1e3, engineSeconds * 1e6 / decoded, 0};
}

/// Processor time of the thread of that name, in seconds.
double secondsOf(const std::string& name) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string comm;
        std::ifstream(task.path() / "comm") >> comm;
        double nanoseconds = 0;
        if (comm == name && std::ifstream(task.path() / "schedstat") >> nanoseconds) return nanoseconds * 1e-9;
    }
    return 0;
}

/// Without a window; `file` receives the trace when given.
Run runAlone(const ModelHandle& model, const OverheadOptions& o, const std::filesystem::path& file) {
    const double begin = threadSeconds();
    mor::Scheduler scheduler(model);
    const auto wanted = requestFor(*model, o);
    std::optional<mor::TraceRecorder> recorder;
    if (!file.empty()) recorder.emplace(file, mor::make_header(model->info(), wanted, {}, {}));
    scheduler.submit(wanted);
    std::vector<mor::TokenRecord> tokens;
    while (!scheduler.idle()) {
        auto events = scheduler.advance();
        if (recorder) recorder->add(events);
        for (auto& token : events.tokens) tokens.push_back(std::move(token.record));
    }
    return runOf(tokens, threadSeconds() - begin);
}

/// The same through the feed, recorded and drawn at 1280 x 800, paced by nothing.
Run runDrawn(MainWindow& window, const ModelHandle& model, const OverheadOptions& o) {
    RunRequest wanted;
    wanted.settings = requestFor(*model, o);
    const double begin = secondsOf("engine"), guiBegin = threadSeconds();
    const auto started = Clock::now();
    const auto quits = QObject::connect(&window.feed(), &Feed::finished, &window, [] { QApplication::exit(); });
    window.feed().generate(std::move(wanted));
    QApplication::exec();
    QObject::disconnect(quits);
    const double gui = (threadSeconds() - guiBegin) / seconds(Clock::now() - started);
    Run run = runOf(window.trace().trace().tokens, secondsOf("engine") - begin);
    run.gui = gui;
    return run;
}

double median(const std::vector<Run>& runs, double Run::*figure) {
    std::vector<double> values;
    for (const Run& run : runs) values.push_back(run.*figure);
    return quantile(values, 0.5);
}

/// Median over the rounds of what one kind of run changed against the null sink of the same round.
double change(const std::vector<Run>& runs, const std::vector<Run>& base, double Run::*figure) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < runs.size(); ++i) ratios.push_back(runs[i].*figure / (base[i].*figure) - 1);
    return quantile(ratios, 0.5);
}

/// Tokens per second are what the reader gets, and they suffer from whatever else the machine does; the processor time of
/// the engine's thread tells how much of that is the instrument's own work on that thread.
void tell(const char* name, const std::vector<Run>& runs, const std::vector<Run>& base, const Report& report) {
    const double rate = median(runs, &Run::rate), faster = change(runs, base, &Run::rate);
    const double engine = median(runs, &Run::engine), more = change(runs, base, &Run::engine);
    const double gui = median(runs, &Run::gui);
    report.add(
        formatted("  %-20s %8.1f tokens/s %+6.1f %%   engine's thread %7.1f us/token %+6.1f %%   GUI's thread %4.1f %%",
                  name, rate, faster * 100, engine, more * 100, gui * 100),
        {{"what", "overhead"},
         {"sink", name},
         {"tokens_per_second", rate},
         {"change", faster},
         {"engine_us_per_token", engine},
         {"engine_change", more},
         {"gui_share_of_a_core", gui}});
}

}  // namespace

void benchOverhead(const std::string& directory, const OverheadOptions& o, const Report& report) {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    const mor::DeviceSettings device{.threads = o.threads > 0 ? o.threads : std::max(1, cores - 1)};
    const auto model = mor::Model::load(directory, device);
    QTemporaryDir folder;
    const std::filesystem::path file = folder.filePath(QStringLiteral("run.mortrace")).toStdString();
    MainWindow window(Settings{}, {}, file);
    window.resize(1280, 800);
    window.show();
    QObject::connect(&window.feed(), &Feed::modelLoaded, &window, [] { QApplication::exit(); });
    window.feed().load(directory, device);
    QApplication::exec();
    std::vector<Run> alone, recorded, drawn;
    runAlone(model, o, {});
    for (int round = 0; round < o.rounds; ++round) {
        alone.push_back(runAlone(model, o, {}));
        recorded.push_back(runAlone(model, o, file));
        drawn.push_back(runDrawn(window, model, o));
    }
    report.add(formatted("overhead, %s, %d engine thread(s), %d tokens, medians of %d rounds", directory.c_str(),
                         device.threads, o.tokens, o.rounds),
               {{"what", "overhead_options"},
                {"model", directory},
                {"engine_threads", device.threads},
                {"tokens", o.tokens},
                {"rounds", o.rounds}});
    tell("null sink", alone, alone, report);
    tell("recorded to a file", recorded, alone, report);
    tell("recorded and drawn", drawn, alone, report);
}

}  // namespace mor::bench
