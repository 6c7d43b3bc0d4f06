// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <QThread>
#include <QTimer>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

#include "feed/record_queue.hpp"
#include "feed/run_request.hpp"
#include "mor/analysis.hpp"
#include "mor/model.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

class EngineWorker;

/// The engine as the GUI sees it: commands that return at once, and signals that bring batches of records.
///
/// Lives on the GUI thread. The engine computes on a thread of its own; its records wait in a queue that one timer
/// drains. Destroying a feed stops what runs, after the pass being computed.
class Feed : public QObject {
    Q_OBJECT

public:
    /// Time between two drains, milliseconds: about 30 pictures a second.
    static constexpr int kDrainInterval = 33;

    explicit Feed(std::filesystem::path autosave = defaultAutosave(), QObject* parent = nullptr);
    ~Feed() override;

    /// Where the last run is recorded unless told otherwise.
    static std::filesystem::path defaultAutosave();

    EngineState state() const { return state_; }
    bool isBusy() const { return state_ == EngineState::Running || state_ == EngineState::Paused; }
    /// The last run ended at its limit of tokens, so stepToken() and stepRecursion() can go on from there.
    bool canExtend() const { return state_ == EngineState::Ready && extendable_; }

    /// A load that is under way is cancelled first.
    void load(const std::filesystem::path& directory, const mor::DeviceSettings&);
    /// loadFailed() follows with an empty sentence, and a model that was loaded before stays in use.
    void cancelLoad();
    /// Starts a run; one that is under way is stopped first.
    void generate(RunRequest, Pace = Pace::Run);
    void pause();
    void resume();
    void stepToken();
    void stepRecursion();
    void stop();

    /// Reads the tokens of a finished run again under both selection rules; compared() or comparisonEnded() follows.
    /// Only while state() is Ready. stop() ends it early.
    void compareRules(const mor::Trace&);

signals:
    void modelLoaded(const mor::ModelInfo&, bool hasTokenizer);
    void loadAdvanced(double share);
    void loadFailed(const QString& sentence);  ///< empty: cancelled
    void started(const mor::TraceHeader&);
    void batch(const std::vector<mor::TokenRecord>& tokens, const std::vector<mor::PassRecord>& passes);
    void warned(const QString& sentence);
    void failed(const QString& sentence);
    void finished(mor::Finish);
    void compared(const mor::RuleComparison&);
    void comparisonEnded(const QString& sentence);  ///< without a result; an empty sentence: stopped
    void stateChanged(mor::ui::EngineState);

private:
    template <typename Command>
    void command(Command&&);
    void drain();
    /// One for each kind of News.
    void hand(const RunBegun&);
    void hand(const Records&);
    void hand(const RunWarned&);
    void hand(const RunFailed&);
    void hand(const RunFinished&);
    void hand(const ModelLoaded&);
    void hand(const LoadAdvanced&);
    void hand(const LoadFailed&);
    void hand(const RulesCompared&);
    void hand(const ComparisonEnded&);
    void hand(EngineState);

    RecordQueue queue_;
    QThread thread_;
    std::unique_ptr<EngineWorker> worker_;
    QTimer timer_;
    EngineState state_ = EngineState::NoModel;
    bool extendable_ = false;
    std::stop_source comparison_;
    std::stop_source loading_;
};

}  // namespace mor::ui
