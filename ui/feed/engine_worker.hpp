// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "feed/record_queue.hpp"
#include "feed/run_request.hpp"
#include "mor/model.hpp"
#include "mor/session.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

/// The engine's side of the feed. Lives on a thread of its own and is only called there, through queued calls.
///
/// A run computes pass after pass until a command is announced, so every command is answered between two passes, an event
/// loop that is asked for each pass does not slow short ones down, and little has to be shared: the queue, and how many
/// commands are on their way.
class EngineWorker : public QObject {
    Q_OBJECT

public:
    /// Every run is recorded to `autosave`, replacing the last one; an empty path records nothing.
    EngineWorker(RecordQueue&, std::filesystem::path autosave);
    ~EngineWorker() override;

    /// A command is on its way (any thread), has arrived (the engine's). Between the two no further pass begins.
    void announce() { announced_.fetch_add(1, std::memory_order_relaxed); }
    void arrived() { announced_.fetch_sub(1, std::memory_order_relaxed); }

    void load(const std::filesystem::path&, const mor::DeviceSettings&, const std::stop_token&);
    void generate(RunRequest, Pace);
    /// Goes on with a paused run, or takes more tokens when it ended at its limit.
    void proceed(Pace);
    void pause();
    void stop();
    /// `hash` names the model that wrote the tokens: another one has other tokens and other routers.
    void compareRules(const std::vector<int>& tokens, const std::string& hash, const mor::RoutingSettings&,
                      const mor::KvSettings&, const std::stop_token&);
    /// The queue has room again.
    void wake();

signals:
    /// There is news that should not wait for the next drain.
    void told();

private:
    void begin(RunRequest&&);
    void turn();
    void scheduleTurn();
    void compute();
    bool paceReached(const mor::Events&) const;
    void record(const mor::Events&);
    void finishRecording();
    template <typename Step>
    void recording(Step&&);
    void openAutosave(const mor::TraceHeader&);
    void rest();
    void endRun(mor::Finish);
    void failRun(const QString&);
    void setState(EngineState);
    void tell(News);

    RecordQueue& queue_;
    std::filesystem::path autosave_;
    std::shared_ptr<const mor::Model> model_;
    std::unique_ptr<mor::Scheduler> scheduler_;  ///< of the newest run, kept after its end to extend it
    std::optional<mor::TraceRecorder> recorder_;
    std::atomic<int> announced_ = 0;
    int request_ = 0;
    int prompt_tokens_ = 0;
    Pace pace_ = Pace::Run;
    EngineState state_ = EngineState::NoModel;
    mor::Finish finish_ = mor::Finish::None;
    bool turn_scheduled_ = false;
    bool waiting_for_room_ = false;
};

}  // namespace mor::ui
