// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <optional>
#include <vector>

#include "mor/analysis.hpp"

namespace mor::ui {

class TraceModel;

/// What the training-time selection, the best of the whole text, would have made of the run on screen: the information leak
/// of expert choice, token by token. Belongs to one finished text; another run starts without.
class RuleOverlay : public QObject {
    Q_OBJECT

public:
    explicit RuleOverlay(const TraceModel*, QObject* parent = nullptr);

    /// Tokens must be those of the run, in order; anything else is refused (false) and nothing changes.
    bool set(const mor::RuleComparison&);
    void clear();
    bool isActive() const { return !depths_.empty(); }

    std::optional<int> topkDepth(int token) const;
    int differing() const { return differing_; }  ///< tokens whose depths differ
    int taken(int recursion) const;               ///< tokens that top-k takes

signals:
    void changed();

private:
    const TraceModel* model_;
    std::vector<int> depths_;
    int differing_ = 0;
};

}  // namespace mor::ui
