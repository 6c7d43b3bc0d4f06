// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLabel>

#include "feed/run_request.hpp"
#include "models/figures.hpp"

namespace mor::ui {

class TraceModel;

/// The run in one line: what happens, speed, depth, KV bytes, context.
class StatusLine : public QLabel {
    Q_OBJECT

public:
    explicit StatusLine(QWidget* parent = nullptr);
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;  ///< with an ellipsis where there is no room for all
};

/// What the line says. `source` names the trace file when a recording is shown.
QString statusText(const TraceModel&, EngineState, const QString& source);

}  // namespace mor::ui
