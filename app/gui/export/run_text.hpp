// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>

#include "mor/trace.hpp"

namespace mor::ui {

/// One thing a run was made with.
struct RunFact {
    enum Kind { Model, Prompt, Setting };
    Kind kind;
    QString name;
    QString value;
    QString line() const { return name + QStringLiteral(": ") + value; }
};

/// Model, prompt, sampling, routing, KV cache, device.
QList<RunFact> runFacts(const mor::TraceHeader&);

/// The same, one line each.
QString runText(const mor::TraceHeader&);

/// The command that makes this run again, ready for a shell.
QString commandOf(const mor::Trace&);

}  // namespace mor::ui
