// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <optional>
#include <vector>

namespace mor::ui {

class TraceModel;

/// What the recorded scores say about another threshold: who would go on, who would leave. An estimate, not a run: when a
/// token's way changes, later scores of its neighbours change too, and a recursion that a token never reached has no
/// score at all. Such tokens are counted as unknown from there on, never guessed. Forced depths stay forced.
///
/// Holds one threshold for all views. A new run starts as recorded.
class ThresholdEstimate : public QObject {
    Q_OBJECT

public:
    explicit ThresholdEstimate(const TraceModel*, QObject* parent = nullptr);

    bool isPossible() const;  ///< a threshold decides in this run
    bool isActive() const { return threshold_.has_value(); }
    double threshold() const;  ///< the one asked about, else the recorded one; a probability

    /// Where a finished token would end.
    struct Fate {
        int depth = 0;         ///< recursions it certainly takes
        bool unknown = false;  ///< the next one was never scored, so it may take more

        bool operator==(const Fate&) const = default;
    };
    Fate fate(int token) const;

    struct Lane {
        int taken = 0;    ///< tokens that certainly take this recursion
        int unknown = 0;  ///< tokens of which nothing is known here
    };
    struct Summary {
        std::vector<Lane> lanes;  ///< [R]
        int shallower = 0;        ///< tokens that would leave earlier than recorded
        int deeper = 0;           ///< tokens that would go further than recorded, known or not
        int unknown = 0;          ///< of those: how far was never scored
    };
    Summary summary() const;

public slots:
    void setThreshold(double);  ///< rounded to hundredths, 0.01 to 0.99; ignored where none decides
    void reset();               ///< as recorded

signals:
    void changed();

private:
    const TraceModel* model_;
    std::optional<double> threshold_;
};

}  // namespace mor::ui
