// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/token_conditions.hpp"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

QString textOf(const mor::TokenRecord& record) { return QString::fromStdString(record.text); }

/// The text may begin in an earlier token, but it has to end in this one.
bool completes(const QString& text, const mor::Trace& trace, int token) {
    const auto last = textOf(trace.tokens[static_cast<std::size_t>(token)]);
    if (last.isEmpty()) return false;
    auto tail = last;
    for (int i = token - 1; i >= 0 && tail.size() < text.size() + last.size(); --i)
        tail.prepend(textOf(trace.tokens[static_cast<std::size_t>(i)]));
    const auto at = tail.lastIndexOf(text, -1, Qt::CaseInsensitive);
    return at >= 0 && at + text.size() > tail.size() - last.size();
}

}  // namespace

QString matchOf(const TokenConditions& conditions, const mor::Trace& trace, int token) {
    const auto& record = trace.tokens[static_cast<std::size_t>(token)];
    if (conditions.depthAtLeast && record.depth >= *conditions.depthAtLeast)
        return TraceModel::tr("depth %1").arg(record.depth);
    if (conditions.marginBelow)
        for (const auto& decision : record.recursions)
            if (std::abs(decision.margin) < *conditions.marginBelow)  // never true for NaN
                return TraceModel::tr("margin %1").arg(QLocale().toString(decision.margin, 'f', 3));
    if (!conditions.text.isEmpty() && completes(conditions.text, trace, token))
        return QStringLiteral("“%1”").arg(conditions.text);
    return {};
}

int findMatch(const TokenConditions& conditions, const mor::Trace& trace, int from, int step, int tokens) {
    if (conditions.isEmpty()) return -1;
    const int end = std::min(tokens, static_cast<int>(trace.tokens.size()));
    for (int token = from + step; token >= 0 && token < end; token += step)
        if (!matchOf(conditions, trace, token).isEmpty()) return token;
    return -1;
}

}  // namespace mor::ui
