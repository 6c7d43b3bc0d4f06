// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/interaction.hpp"

#include <QCoreApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QStringList>
#include <QToolTip>
#include <QWidget>
#include <cmath>

#include "models/figures.hpp"
#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"

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

QString quoted(const QString& label) {
    QString visible;
    for (const QChar c : label) {
        if (c == QLatin1Char('\n'))
            visible += QChar(0x21b5);
        else if (c == QLatin1Char('\t'))
            visible += QChar(0x21e5);
        else if (c.isPrint() || c.isSurrogate() || c.isMark())
            visible += c;
        else
            visible += QChar(0xfffd);
    }
    return QChar(0x201c) + (visible.trimmed().isEmpty() ? visible : visible.trimmed()) + QChar(0x201d);
}

QString withoutRecursions(const TraceModel& model) {
    return text("no recursions: every token goes once through all %1 layers")
        .arg(model.header().config.llama.num_hidden_layers);
}

QString tokenTip(const TraceModel& model, int token) {
    if (token < 0 || token >= model.tokenCount()) return {};
    const auto& record = model.token(token);
    QStringList lines{text("Token %1 · %2").arg(token).arg(quoted(model.label(token)))};
    if (record.prompt) lines.front() += text(" · prompt");
    if (model.recursions() > 0) lines += text("depth %1 of %2").arg(record.depth).arg(model.recursions());
    if (model.isRouted())
        for (int r = 0; r < model.recursions(); ++r)
            if (const auto decision = model.decision(token, r)) lines += decisionLine(*decision, r);
    if (!std::isnan(record.logprob)) lines += text("probability %1").arg(scoreText(std::exp(record.logprob)));
    lines += text("KV cache %1 (vanilla %2, computed)").arg(bytesText(kvUsed(record.kv)), bytesText(record.kv.vanilla));
    return lines.join(QLatin1Char('\n'));
}

bool followPointer(QEvent& event, QWidget* viewport, Selection& selection, const TraceModel& model,
                   const std::function<int(QPointF)>& tokenAt) {
    switch (event.type()) {
        case QEvent::MouseMove:
            selection.setHovered(tokenAt(static_cast<const QMouseEvent&>(event).position()));
            return false;
        case QEvent::Leave:
            selection.setHovered(-1);
            return false;
        case QEvent::ToolTip: {
            const auto& help = static_cast<const QHelpEvent&>(event);
            showTokenTip(help, viewport, model, tokenAt(help.pos()));
            return true;
        }
        default:
            return false;
    }
}

void showTokenTip(const QHelpEvent& event, QWidget* widget, const TraceModel& model, int token) {
    const auto tip = tokenTip(model, token);
    if (tip.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(event.globalPos(), tip, widget);
}

}  // namespace mor::ui
