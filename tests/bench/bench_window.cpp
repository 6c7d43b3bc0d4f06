// SPDX-License-Identifier: Apache-2.0
// What the instrument itself costs. Not a test: run it by hand, on an otherwise idle machine,
//
//     QT_QPA_PLATFORM=offscreen build/release/tests/bench/bench_window [OPTIONS] [MODEL_DIR...]
//
// frames    the GUI thread's work (its processor time) per frame of 1/60 s while the last tokens of a run of 4,096 come in
//           at 200 a second
// overhead  tokens per second of the same generation with nobody listening (null sink), recorded to a file, and recorded
//           and drawn in the window; engine threads = cores - 1
#include <QStyleFactory>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "bench/bench_frames.hpp"
#include "bench/bench_overhead.hpp"
#include "options.hpp"

namespace {

using namespace mor::bench;

struct Options {
    bool frames = false;
    bool overhead = false;
    bool json = false;
    int repeat = 1;
    FrameOptions drawing;
    OverheadOptions running;
    std::vector<std::string> models;
};

int whole(const std::string& text) {
    try {
        return std::stoi(text);
    } catch (const std::exception&) {
        throw mor::cli::UsageError("expected a number, got " + text);
    }
}

/// False: the help has been printed.
bool readOptions(const std::vector<std::string>& words, Options& o) {
    mor::cli::OptionTable table("bench_window",
                                "Measures what the window costs: work per frame, and slow-down of the engine.");
    table.rest("MODEL_DIR", "models to run; the bundled prose-expert-r3 without",
               [&o](const std::string& v) { o.models.push_back(v); });
    table.flag("--frames", "only the work per frame", o.frames);
    table.flag("--overhead", "only the slow-down", o.overhead);
    table.flag("--json", "one JSON object a line", o.json);
    table.option("--repeat", "N", "the frames N times", [&o](const std::string& v) { o.repeat = whole(v); });
    table.flag("--dark", "the frames in the dark palette", o.drawing.dark);
    table.option("--pictures", "DIR", "keep the last frame of each",
                 [&o](const std::string& v) { o.drawing.pictures = v; });
    table.option("--rounds", "N", "rounds of the slow-down (9)",
                 [&o](const std::string& v) { o.running.rounds = whole(v); });
    table.option("--tokens", "N", "tokens in each (480)", [&o](const std::string& v) { o.running.tokens = whole(v); });
    table.option("--threads", "N", "engine threads (cores - 1)",
                 [&o](const std::string& v) { o.running.threads = whole(v); });
    if (!table.parse(words)) return false;
    if (!o.frames && !o.overhead) o.frames = o.overhead = true;
    if (o.models.empty()) o.models.emplace_back(MOR_MODELS_DIR "/prose-expert-r3");
    return true;
}

void run(Meter& meter, const Options& o) {
    const Report report(o.json);
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    report.add(formatted("%d cores", cores), {{"what", "machine"}, {"cores", cores}});
    for (int i = 0; o.frames && i < o.repeat; ++i) benchFrames(meter, o.drawing, report);
    if (!o.overhead) return;
    for (const auto& model : o.models) benchOverhead(model, o.running, report);
}

}  // namespace

int main(int argc, char** argv) {
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    Meter meter(argc, argv);
    try {
        Options o;
        if (readOptions({argv + 1, argv + argc}, o)) run(meter, o);
        return 0;
    } catch (const mor::cli::UsageError& error) {
        std::fprintf(stderr, "bench_window: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_window: %s\n", error.what());
        return 1;
    }
}
