// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/rule_overlay.hpp"

#include <algorithm>

#include "models/trace_model.hpp"

namespace mor::ui {

RuleOverlay::RuleOverlay(const TraceModel* model, QObject* parent) : QObject(parent), model_(model) {
    connect(model, &QAbstractItemModel::modelReset, this, &RuleOverlay::clear);
}

bool RuleOverlay::set(const mor::RuleComparison& comparison) {
    if (comparison.tokens.empty() || std::ssize(comparison.tokens) > model_->tokenCount()) return false;
    for (std::size_t i = 0; i < comparison.tokens.size(); ++i)
        if (comparison.tokens[i].token != model_->token(static_cast<int>(i)).token) return false;
    depths_.clear();
    differing_ = 0;
    for (std::size_t i = 0; i < comparison.tokens.size(); ++i) {
        depths_.push_back(comparison.tokens[i].topk.depth);
        differing_ += depths_.back() != model_->token(static_cast<int>(i)).depth;
    }
    emit changed();
    return true;
}

void RuleOverlay::clear() {
    if (depths_.empty()) return;
    depths_.clear();
    differing_ = 0;
    emit changed();
}

std::optional<int> RuleOverlay::topkDepth(int token) const {
    if (token < 0 || token >= std::ssize(depths_)) return {};
    return depths_[static_cast<std::size_t>(token)];
}

int RuleOverlay::taken(int recursion) const {
    return static_cast<int>(std::count_if(depths_.begin(), depths_.end(), [&](int depth) { return depth > recursion; }));
}

}  // namespace mor::ui
