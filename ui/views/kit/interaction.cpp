// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/interaction.hpp"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QStringList>
#include <cmath>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/token_name.hpp"

namespace mor::ui {
namespace {

QString text(const char* source) { return QCoreApplication::translate("mor::ui", source); }

QString decisionLine(const mor::Decision& decision, int recursion) {
    QString line = text("recursion %1: %2").arg(recursion + 1).arg(outcomeText(decision.outcome));
    if (!std::isnan(decision.score)) line += text(", score %1").arg(scoreText(decision.score));
    if (!std::isnan(decision.margin)) line += text(", margin %1").arg(scoreText(decision.margin));
    if (!std::isnan(decision.gate)) line += text(", gate %1").arg(scoreText(decision.gate));
    return line;
}

}  // namespace

bool steer(Selection& selection, const TraceModel& model, const QKeyEvent& event) {
    const int stride = event.modifiers() & Qt::ControlModifier ? 10 : 1;
    switch (event.key()) {
        case Qt::Key_Left:
            selection.moveBy(-stride);
            return true;
        case Qt::Key_Right:
            selection.moveBy(stride);
            return true;
        case Qt::Key_Home:
            selection.moveBy(-model.tokenCount());
            return true;
        case Qt::Key_End:
            selection.moveBy(model.tokenCount());
            return true;
        case Qt::Key_Escape:
            selection.clear();
            return true;
        default:
            return false;
    }
}

QString withoutRecursions(const TraceModel& model) {
    return text("no recursions: every token goes once through all %1 layers")
        .arg(model.header().config.llama.num_hidden_layers);
}

QString tokenTip(const TraceModel& model, int token) {
    if (token < 0 || token >= model.tokenCount()) return {};
    const auto& record = model.token(token);
    QStringList lines{text("Token %1 · %2").arg(token).arg(quoted(tokenName(model, token)))};
    if (record.prompt) lines.front() += text(" · prompt");
    if (model.recursions() > 0) lines += text("depth %1 of %2").arg(record.depth).arg(model.recursions());
    if (model.isRouted())
        for (int r = 0; r < model.recursions(); ++r)
            if (const auto decision = model.decision(token, r)) lines += decisionLine(*decision, r);
    if (!std::isnan(record.logprob)) lines += text("probability %1").arg(scoreText(std::exp(record.logprob)));
    lines += text("KV cache %1 (vanilla %2, computed)").arg(bytesText(kvUsed(record.kv)), bytesText(record.kv.vanilla));
    return lines.join(QLatin1Char('\n'));
}

}  // namespace mor::ui
