// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/status_line.hpp"

#include <QLocale>
#include <QPainter>
#include <QStyle>
#include <QStyleOption>

#include "models/trace_model.hpp"
#include "views/kit/geometry.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {

namespace {

QString endingText(mor::Finish finish) {
    switch (finish) {
        case mor::Finish::Eos:
            return StatusLine::tr("Done: the model ended the text");
        case mor::Finish::MaxTokens:
            return StatusLine::tr("Done");
        case mor::Finish::Context:
            return StatusLine::tr("Done: the context is full");
        case mor::Finish::Cancelled:
            return StatusLine::tr("Stopped");
        case mor::Finish::None:
            break;
    }
    return StatusLine::tr("Stopped");
}

QString stateText(const TraceModel& model, EngineState state, const QString& source) {
    if (!source.isEmpty()) return StatusLine::tr("Recorded in %1").arg(source);
    switch (state) {
        case EngineState::Loading:
            return StatusLine::tr("Loading the model");
        case EngineState::Running:
            return StatusLine::tr("Generating");
        case EngineState::Paused:
            return StatusLine::tr("Paused");
        case EngineState::Analyzing:
            return StatusLine::tr("Reading the text again with top-k");
        case EngineState::NoModel:
            return StatusLine::tr("No model");
        case EngineState::Ready:
            break;
    }
    if (!model.hasRun()) return StatusLine::tr("Ready");
    return endingText(model.tokenCount() == 0 ? mor::Finish::None : model.token(model.tokenCount() - 1).finish);
}

QString fixedNumber(double value, int decimals) { return QLocale().toString(value, 'f', decimals); }

}  // namespace

StatusLine::StatusLine(QWidget* parent) : QLabel(parent) {
    setObjectName(QStringLiteral("statusLine"));
    setTextFormat(Qt::PlainText);
    setContentsMargins(14, 6, 14, 6);
    setAccessibleName(tr("Status"));
}

QSize StatusLine::minimumSizeHint() const { return {0, QLabel::minimumSizeHint().height()}; }

void StatusLine::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    QStyleOption option;
    option.initFrom(this);
    style()->drawPrimitive(QStyle::PE_Widget, &option, &painter, this);
    painter.setPen(palette().color(foregroundRole()));
    drawLine(painter, contentsRect(), Qt::AlignLeft | Qt::AlignVCenter, text());
}

QString statusText(const TraceModel& model, EngineState state, const QString& source) {
    QStringList parts{stateText(model, state, source)};
    if (model.tokenCount() > 0) {
        const Figures f = model.figures();
        parts.append(StatusLine::tr("%1 tokens").arg(countText(f.tokens)));
        if (f.tokensPerSecond) parts.append(StatusLine::tr("%1 tokens/s").arg(siText(*f.tokensPerSecond)));
        if (f.firstTokenMs) parts.append(StatusLine::tr("first token %1").arg(durationText(*f.firstTokenMs)));
        if (f.meanDepth)
            parts.append(StatusLine::tr("mean depth %1 of %2").arg(fixedNumber(*f.meanDepth, 2)).arg(f.recursions));
        QString kv = StatusLine::tr("KV %1").arg(bytesText(f.kvUsed));
        if (f.kvSaved)
            kv +=
                StatusLine::tr(" (vanilla %1, %2%3)")
                    .arg(bytesText(f.kvVanilla), *f.kvSaved > 0 ? QStringLiteral("−") : QString(), percentText(*f.kvSaved));
        parts.append(kv);
        if (f.contextSize > 0)
            parts.append(StatusLine::tr("context %1 / %2").arg(countText(f.tokens), countText(f.contextSize)));
    }
    return parts.join(QStringLiteral(" · "));
}

}  // namespace mor::ui
