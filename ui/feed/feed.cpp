// SPDX-License-Identifier: GPL-3.0-or-later
#include "feed/feed.hpp"

#include <QStandardPaths>
#include <utility>

#include "feed/engine_worker.hpp"

namespace mor::ui {

Feed::Feed(std::filesystem::path autosave, QObject* parent)
    : QObject(parent), worker_(std::make_unique<EngineWorker>(queue_, std::move(autosave))) {
    worker_->moveToThread(&thread_);
    connect(worker_.get(), &EngineWorker::modelLoaded, this, [this](const mor::ModelInfo& info, bool hasTokenizer) {
        extendable_ = false;
        emit modelLoaded(info, hasTokenizer);
    });
    connect(worker_.get(), &EngineWorker::loadFailed, this, &Feed::loadFailed);
    connect(worker_.get(), &EngineWorker::stateChanged, this, &Feed::enter);
    timer_.setInterval(kDrainInterval);
    connect(&timer_, &QTimer::timeout, this, &Feed::drain);
    thread_.setObjectName(QStringLiteral("engine"));
    thread_.start();
}

Feed::~Feed() {
    thread_.quit();  // takes effect after the pass being computed; later turns are dropped
    thread_.wait();
}

std::filesystem::path Feed::defaultAutosave() {
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    if (folder.isEmpty()) return {};
    return std::filesystem::path(folder.toStdString()) / "last-run.mortrace";
}

template <typename Command>
void Feed::command(Command&& call) {
    QMetaObject::invokeMethod(worker_.get(), std::forward<Command>(call), Qt::QueuedConnection);
}

void Feed::load(const std::filesystem::path& directory, const mor::DeviceSettings& device) {
    command([w = worker_.get(), directory, device] { w->load(directory, device); });
}

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

void Feed::stop() {
    command([w = worker_.get()] { w->stop(); });
}

void Feed::enter(EngineState state) {
    drain();  // what was computed before the change is shown before it
    state_ = state;
    if (state == EngineState::Running)
        timer_.start();
    else
        timer_.stop();
    emit stateChanged(state);
}

void Feed::drain() {
    RecordQueue::Drained drained = queue_.drain();
    if (drained.producer_waits) command([w = worker_.get()] { w->wake(); });
    for (Delivery& delivery : drained.deliveries) hand(delivery);
}

void Feed::hand(Delivery& delivery) {
    if (delivery.header) {
        extendable_ = false;
        emit started(*delivery.header);
    }
    if (!delivery.tokens.empty() || !delivery.passes.empty()) emit batch(delivery.tokens, delivery.passes);
    for (const QString& sentence : std::as_const(delivery.warnings)) emit warned(sentence);
    if (!delivery.failure.isEmpty()) {
        extendable_ = false;
        emit failed(delivery.failure);
    }
    if (delivery.finish) {
        extendable_ = *delivery.finish == mor::Finish::MaxTokens;
        emit finished(*delivery.finish);
    }
}

}  // namespace mor::ui
