// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>
#include <mutex>
#include <optional>
#include <vector>

#include "mor/trace.hpp"

namespace mor::ui {

/// What one run has produced since the last drain, in the order in which it is to be handed on: header, records,
/// warnings, failure, finish.
struct Delivery {
    std::optional<mor::TraceHeader> header;  ///< set when the run began
    std::vector<mor::TokenRecord> tokens;
    std::vector<mor::PassRecord> passes;
    QStringList warnings;               ///< the run goes on
    QString failure;                    ///< the run ended with an error; empty otherwise
    std::optional<mor::Finish> finish;  ///< set when the run ended
};

/// Carries records from the engine's thread to the GUI's, so that the rate of passes never becomes the rate of
/// events: one side pushes, the other takes everything at once under the lock.
class RecordQueue {
public:
    /// Records waiting at which the producer pauses until a drain.
    static constexpr std::size_t kCapacity = 4096;

    /// Begins a run; deliveries of the one before stay in front of it.
    void begin(mor::TraceHeader);
    /// Returns whether there is room for more; when there is not, the next drain() says that somebody waits.
    bool push(mor::Events&&);
    void warn(const QString&);
    void fail(const QString&);
    void finish(mor::Finish);

    struct Drained {
        std::vector<Delivery> deliveries;
        bool producer_waits = false;
    };
    Drained drain();

private:
    Delivery& last();

    std::mutex mutex_;
    std::vector<Delivery> deliveries_;
    std::size_t waiting_ = 0;
    bool producer_waits_ = false;
};

}  // namespace mor::ui
