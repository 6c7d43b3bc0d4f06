// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QApplication>
#include <QEvent>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <string>
#include <vector>

/// What the benchmarks of the window measure with.
namespace mor::bench {

using Clock = std::chrono::steady_clock;

inline double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

/// Processor time of the calling thread: what other programs do meanwhile counts only as far as it takes cache and clock.
inline double threadSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Measures what the event loop works: every event that is not part of another one, by the frame in which it began.
class Meter : public QApplication {
public:
    using QApplication::QApplication;

    static constexpr double kFramesPerSecond = 60;

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
        if (nested_) return notifyNested(receiver, event);
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
    /// Viewports go by the name of the view that they belong to.
    bool notifyNested(QObject* receiver, QEvent* event) {
        if (event->type() != QEvent::Paint) return QApplication::notify(receiver, event);
        const bool viewport = receiver->objectName() == QLatin1String("qt_scrollarea_viewport");
        const std::string name = (viewport ? receiver->parent() : receiver)->metaObject()->className();
        const double begin = threadSeconds();
        const bool result = QApplication::notify(receiver, event);
        painting_[name] += threadSeconds() - begin;
        return result;
    }

    std::map<std::string, double> painting_;
    std::vector<double> work_;
    Clock::time_point started_;
    bool measuring_ = false;
    bool nested_ = false;
};

}  // namespace mor::bench
