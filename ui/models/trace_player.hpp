// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>
#include <vector>

#include "models/token_conditions.hpp"
#include "mor/trace.hpp"

namespace mor::ui {

class TraceModel;

/// Time. Holds a whole run, recorded or still coming in, and keeps the TraceModel at one moment of it: the views show what
/// the model holds and know nothing of time.
///
/// A moment is one pass of the engine: after it the tokens that it finished are complete and others are under way. At
/// moment 0 nothing has happened; end() is all that is known so far. What comes in while the last moment is shown is shown
/// at once, unless a speed is set. GUI thread only.
class TracePlayer : public QObject {
    Q_OBJECT

public:
    explicit TracePlayer(TraceModel*, QObject* parent = nullptr);

    void begin(const mor::TraceHeader&);  ///< a live run
    void append(const std::vector<mor::TokenRecord>&, const std::vector<mor::PassRecord>&);
    void load(mor::Trace);  ///< a recorded run, shown whole

    const mor::Trace& whole() const { return whole_; }
    int moment() const { return moment_; }
    int end() const { return static_cast<int>(moments_.size()) - 1; }
    bool isAtEnd() const { return moment_ == end(); }
    int tokensAt(int moment) const { return moments_[static_cast<std::size_t>(moment)].tokens; }
    int momentOf(int token) const;  ///< the first moment at which it is complete

    bool isPlaying() const { return playing_; }
    double speed() const { return speed_; }  ///< tokens per second; 0: as they come, and recorded ones at once
    const TokenConditions& breakpoints() const { return breakpoints_; }

public slots:
    void seek(int moment);
    void stepTokens(int count);  ///< to the next (or an earlier) moment at which a token is complete
    void stepPasses(int count);
    void play();  ///< goes on from here; from the beginning where the end is shown already
    void pause();
    void follow();  ///< shows what is there and what comes in, at its speed
    void setSpeed(double tokensPerSecond);
    void setBreakpoints(const TokenConditions&);

signals:
    void moved();  ///< moment() or end() changed
    void playingChanged(bool);
    void stopped(int token, const QString& why);  ///< at a breakpoint

private:
    /// How much of the run has happened.
    struct Moment {
        int tokens = 0;
        int passes = 0;
    };
    void restart(const mor::TraceHeader&);
    void addMoments(std::size_t firstToken, std::size_t firstPass);
    void show(int moment);
    void tick();
    void advance();  ///< as far as speed and breakpoints allow now
    int breakpointBetween(int tokens, int end) const;
    int delay() const;  ///< milliseconds until the next moment at this speed
    void setPlaying(bool);

    TraceModel* model_;
    mor::Trace whole_;
    std::vector<Moment> moments_{{}};
    int moment_ = 0;
    bool playing_ = false;
    double speed_ = 0;
    TokenConditions breakpoints_;
    QTimer timer_;
};

}  // namespace mor::ui
