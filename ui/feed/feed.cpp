// SPDX-License-Identifier: GPL-3.0-or-later
#include "feed/feed.hpp"

#include <QStandardPaths>
#include <utility>

#include "feed/engine_worker.hpp"

namespace mor::ui {

Feed::Feed(std::filesystem::path autosave, QObject* parent)
    : QObject(parent), worker_(std::make_unique<EngineWorker>(queue_, std::move(autosave))) {
    worker_->moveToThread(&thread_);
    connect(worker_.get(), &EngineWorker::told, this, &Feed::drain);
    timer_.setInterval(kDrainInterval);
    connect(&timer_, &QTimer::timeout, this, &Feed::drain);
    thread_.setObjectName(QStringLiteral("engine"));
    thread_.start();
}

Feed::~Feed() {
    comparison_.request_stop();
    loading_.request_stop();
    worker_->announce();  // so that it looks up
    thread_.quit();       // takes effect after the pass being computed; later turns are dropped
    thread_.wait();
}

std::filesystem::path Feed::defaultAutosave() {
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    if (folder.isEmpty()) return {};
    return std::filesystem::path(folder.toStdString()) / "last-run.mortrace";
}

template <typename Command>
void Feed::command(Command&& call) {
    worker_->announce();
    auto deliver = [worker = worker_.get(), call = std::forward<Command>(call)]() mutable {
        worker->arrived();
        call();
    };
    QMetaObject::invokeMethod(worker_.get(), std::move(deliver), Qt::QueuedConnection);
}

void Feed::load(const std::filesystem::path& directory, const mor::DeviceSettings& device) {
    cancelLoad();
    loading_ = {};
    command([w = worker_.get(), directory, device, stop = loading_.get_token()] { w->load(directory, device, stop); });
}

void Feed::cancelLoad() { loading_.request_stop(); }

void Feed::generate(RunRequest request, Pace pace) {
    command([w = worker_.get(), request = std::move(request), pace]() mutable { w->generate(std::move(request), pace); });
}

void Feed::pause() {
    command([w = worker_.get()] { w->pause(); });
}

void Feed::resume() {
    command([w = worker_.get()] { w->proceed(Pace::Run); });
}

void Feed::stepToken() {
    command([w = worker_.get()] { w->proceed(Pace::Token); });
}

void Feed::stepRecursion() {
    command([w = worker_.get()] { w->proceed(Pace::Recursion); });
}

void Feed::compareRules(const mor::Trace& trace) {
    std::vector<int> tokens;
    tokens.reserve(trace.tokens.size());
    for (const auto& record : trace.tokens) tokens.push_back(record.token);
    comparison_ = {};
    command([w = worker_.get(), tokens = std::move(tokens), routing = trace.header.routing, hash = trace.header.model_hash,
             kv = mor::KvSettings{.policy = trace.header.kv_policy, .type = trace.header.kv_type},
             stop = comparison_.get_token()] { w->compareRules(tokens, hash, routing, kv, stop); });
}

void Feed::stop() {
    comparison_.request_stop();
    command([w = worker_.get()] { w->stop(); });
}

void Feed::drain() {
    const RecordQueue::Drained drained = queue_.drain();
    if (drained.producer_waits) command([w = worker_.get()] { w->wake(); });
    for (const News& news : drained.news) std::visit([this](const auto& piece) { hand(piece); }, news);
}

void Feed::hand(const RunBegun& begun) {
    extendable_ = false;
    emit started(begun.header);
}

void Feed::hand(const Records& records) { emit batch(records.tokens, records.passes); }

void Feed::hand(const RunWarned& warning) { emit warned(warning.sentence); }

void Feed::hand(const RunFailed& failure) {
    extendable_ = false;
    emit failed(failure.sentence);
}

void Feed::hand(const RunFinished& end) {
    extendable_ = end.finish == mor::Finish::MaxTokens;
    emit finished(end.finish);
}

void Feed::hand(const ModelLoaded& loaded) {
    extendable_ = false;
    emit modelLoaded(loaded.info, loaded.hasTokenizer);
}

void Feed::hand(const LoadAdvanced& news) { emit loadAdvanced(news.share); }

void Feed::hand(const LoadFailed& failure) { emit loadFailed(failure.sentence); }

void Feed::hand(const RulesCompared& result) { emit compared(result.comparison); }

void Feed::hand(const ComparisonEnded& end) { emit comparisonEnded(end.sentence); }

void Feed::hand(EngineState state) {
    state_ = state;
    state == EngineState::Running ? timer_.start() : timer_.stop();
    emit stateChanged(state);
}

}  // namespace mor::ui
