// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "feed/run_request.hpp"
#include "mor/analysis.hpp"
#include "mor/model.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

/// What the engine's thread tells, one kind of news each.
struct RunBegun {
    mor::TraceHeader header;
};
struct Records {
    std::vector<mor::TokenRecord> tokens;
    std::vector<mor::PassRecord> passes;
};
struct RunWarned {
    QString sentence;  ///< the run goes on
};
struct RunFailed {
    QString sentence;
};
struct RunFinished {
    mor::Finish finish = mor::Finish::None;
};
struct ModelLoaded {
    mor::ModelInfo info;
    bool hasTokenizer = false;
};
struct LoadAdvanced {
    double share = 0;  ///< of the weights, 0..1
};
struct LoadFailed {
    QString sentence;  ///< empty when it was cancelled
};
struct RulesCompared {
    mor::RuleComparison comparison;
};
struct ComparisonEnded {
    QString sentence;  ///< why there is none; empty when it was stopped
};

using News = std::variant<RunBegun, Records, RunWarned, RunFailed, RunFinished, ModelLoaded, LoadAdvanced, LoadFailed,
                          RulesCompared, ComparisonEnded, EngineState>;

/// Carries news from the engine's thread to the GUI's in the order in which they happened. Records that follow each
/// other become one piece of news, so the rate of passes never becomes the rate of events: one side pushes, the other
/// takes everything at once under the lock.
class RecordQueue {
public:
    /// Records waiting at which the producer pauses until a drain.
    static constexpr std::size_t kCapacity = 4096;

    void push(News);
    /// Returns whether there is room for more; when there is not, the next drain() says that somebody waits.
    bool push(mor::Events&&);

    struct Drained {
        std::vector<News> news;
        bool producer_waits = false;
    };
    Drained drain();

private:
    std::mutex mutex_;
    std::vector<News> news_;
    std::size_t waiting_ = 0;
    bool producer_waits_ = false;
};

}  // namespace mor::ui
