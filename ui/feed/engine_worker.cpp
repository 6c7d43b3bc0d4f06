// SPDX-License-Identifier: GPL-3.0-or-later
#include "feed/engine_worker.hpp"

#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "mor/analysis.hpp"
#include "mor/error.hpp"

namespace mor::ui {

namespace {

constexpr double kLoadStep = 0.02;  ///< share of a load that is worth a word

QString sentenceOf(const std::exception& error) {
    if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
        return EngineWorker::tr("Not enough memory: close other programs or take a smaller model.");
    return QString::fromStdString(error.what());
}

}  // namespace

EngineWorker::EngineWorker(RecordQueue& queue, std::filesystem::path autosave)
    : queue_(queue), autosave_(std::move(autosave)) {}

EngineWorker::~EngineWorker() = default;

void EngineWorker::setState(EngineState state) {
    state_ = state;
    tell(state);
    emit told();
}

void EngineWorker::tell(News news) { queue_.push(std::move(news)); }

void EngineWorker::load(const std::filesystem::path& directory, const mor::DeviceSettings& device,
                        const std::stop_token& cancelled) {
    stop();
    setState(EngineState::Loading);
    double told = 0;
    const auto advanced = [&](double share) {
        if (share - told < kLoadStep) return;
        told = share;
        tell(LoadAdvanced{share});
        emit this->told();
    };
    try {
        auto loaded = mor::Model::load(directory, device, {.progress = advanced, .stop = cancelled});
        scheduler_.reset();
        recorder_.reset();
        model_ = std::move(loaded);
        tell(ModelLoaded{model_->info(), model_->tokenizer() != nullptr});
    } catch (const std::exception& error) {
        // A model loaded before stays in use.
        tell(LoadFailed{cancelled.stop_requested() ? QString() : sentenceOf(error)});
    }
    setState(model_ ? EngineState::Ready : EngineState::NoModel);
}

void EngineWorker::generate(RunRequest request, Pace pace) {
    stop();
    if (!model_) {
        tell(RunFailed{tr("No model is open: choose one first.")});
        return setState(EngineState::NoModel);
    }
    try {
        begin(std::move(request));
        pace_ = pace;
        finish_ = mor::Finish::None;
        setState(EngineState::Running);
        scheduleTurn();
    } catch (const std::exception& error) {
        failRun(sentenceOf(error));
    }
}

void EngineWorker::begin(RunRequest&& request) {
    scheduler_.reset();  // its KV cache goes before the next one comes
    recorder_.reset();
    if (request.settings.prompt.empty() && !request.text.isEmpty()) {
        if (!model_->tokenizer())
            throw mor::Error(tr("This model has no tokenizer: type token ids such as 1,2,3.").toStdString());
        request.settings.prompt = model_->tokenizer()->encode(request.text.toStdString());
    }
    if (request.settings.prompt.empty()) throw mor::Error(tr("The prompt is empty: type some text first.").toStdString());
    auto header = mor::make_header(model_->info(), request.settings, request.kv, request.text.toStdString());
    prompt_tokens_ = static_cast<int>(request.settings.prompt.size());
    auto scheduler = std::make_unique<mor::Scheduler>(model_, request.kv);
    request_ = scheduler->submit(std::move(request.settings));
    scheduler_ = std::move(scheduler);
    tell(RunBegun{header});
    openAutosave(header);
}

void EngineWorker::openAutosave(const mor::TraceHeader& header) {
    if (autosave_.empty()) return;
    try {
        std::filesystem::create_directories(autosave_.parent_path());
        recorder_.emplace(autosave_, header);
    } catch (const std::exception& error) {
        tell(RunWarned{tr("This run is not recorded: %1").arg(sentenceOf(error))});
    }
}

template <typename Step>
void EngineWorker::recording(Step&& step) {
    if (!recorder_) return;
    try {
        step(*recorder_);
    } catch (const std::exception& error) {
        recorder_.reset();
        tell(RunWarned{tr("Recording this run stopped: %1").arg(sentenceOf(error))});
    }
}

void EngineWorker::record(const mor::Events& events) {
    recording([&](mor::TraceRecorder& recorder) { recorder.add(events); });
}

/// Whoever hears that a run rests finds all of it in its file.
void EngineWorker::finishRecording() {
    recording([](mor::TraceRecorder& recorder) { recorder.flush(); });
}

void EngineWorker::scheduleTurn() {
    if (std::exchange(turn_scheduled_, true)) return;
    QMetaObject::invokeMethod(this, &EngineWorker::turn, Qt::QueuedConnection);
}

void EngineWorker::turn() {
    turn_scheduled_ = false;
    try {
        while (state_ == EngineState::Running && !waiting_for_room_) {
            compute();
            if (announced_.load(std::memory_order_relaxed) == 0) continue;
            return scheduleTurn();
        }
    } catch (const std::exception& error) {
        failRun(sentenceOf(error));
    }
}

void EngineWorker::compute() {
    mor::Events events = scheduler_->advance();
    record(events);
    const bool reached = paceReached(events);
    mor::Finish finish = mor::Finish::None;
    if (!events.tokens.empty()) finish = events.tokens.back().record.finish;
    waiting_for_room_ = !queue_.push(std::move(events));
    if (finish != mor::Finish::None) return endRun(finish);
    if (reached) rest();
}

bool EngineWorker::paceReached(const mor::Events& events) const {
    if (pace_ == Pace::Recursion) return true;
    if (pace_ == Pace::Run || events.tokens.empty()) return false;
    return events.tokens.back().record.position + 1 >= prompt_tokens_;
}

void EngineWorker::proceed(Pace pace) {
    try {
        if (state_ == EngineState::Ready && scheduler_ && finish_ == mor::Finish::MaxTokens) {
            scheduler_->extend(request_, 1);
            finish_ = mor::Finish::None;
        } else if (state_ != EngineState::Paused && state_ != EngineState::Running) {
            return;
        }
    } catch (const std::exception& error) {
        tell(RunFailed{sentenceOf(error)});
        return setState(EngineState::Ready);
    }
    pace_ = pace;
    setState(EngineState::Running);
    if (!waiting_for_room_) scheduleTurn();
}

void EngineWorker::pause() {
    if (state_ == EngineState::Running) rest();
}

void EngineWorker::rest() {
    finishRecording();
    setState(EngineState::Paused);
}

void EngineWorker::stop() {
    if (state_ != EngineState::Running && state_ != EngineState::Paused) return;
    scheduler_->cancel(request_);
    endRun(mor::Finish::Cancelled);
}

void EngineWorker::compareRules(const std::vector<int>& tokens, const std::string& hash,
                                const mor::RoutingSettings& routing, const mor::KvSettings& kv,
                                const std::stop_token& stop) {
    if (state_ != EngineState::Ready || !model_) return tell(ComparisonEnded{tr("No model is open: choose one first.")});
    setState(EngineState::Analyzing);
    try {
        if (model_->info().hash != hash)
            throw mor::Error(tr("This text was written by another model: open that one to compare.").toStdString());
        tell(RulesCompared{mor::compare_rules(model_, tokens, routing, kv, stop)});
    } catch (const std::exception& error) {
        tell(ComparisonEnded{stop.stop_requested() ? QString() : sentenceOf(error)});
    }
    setState(EngineState::Ready);
}

void EngineWorker::wake() {
    waiting_for_room_ = false;
    if (state_ == EngineState::Running) scheduleTurn();
}

void EngineWorker::endRun(mor::Finish finish) {
    finish_ = finish;
    finishRecording();
    tell(RunFinished{finish});
    setState(EngineState::Ready);
}

void EngineWorker::failRun(const QString& sentence) {
    finish_ = mor::Finish::Cancelled;
    scheduler_.reset();
    finishRecording();
    tell(RunFailed{sentence});
    setState(EngineState::Ready);
}

}  // namespace mor::ui
