// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QToolButton>

#include "gui/controls/settings.hpp"
#include "gui/controls/what_if_controls.hpp"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QSpinBox;

namespace mor::ui {

/// One quiet button that says how tokens are chosen ("T 0.8 · top-k 40 · seed 1") and opens the controls behind it.
class RunControls : public QToolButton {
    Q_OBJECT

public:
    explicit RunControls(QWidget* parent = nullptr);

    RunSettings settings() const;
    mor::RoutingSettings routing() const;  ///< with what is changed on trial
    void setSettings(const RunSettings&);
    void setThreshold(double);  ///< and the rule that uses it
    void showRoutingOnly();     ///< for a text that is read, not written

    WhatIfControls* whatIf() const { return whatIf_; }

    QDoubleSpinBox* temperature() const { return temperature_; }
    QSpinBox* maxTokens() const { return maxTokens_; }
    QCheckBox* exits() const { return exits_; }

signals:
    void changed();

private:
    QWidget* makeForm();
    void settingsChanged();
    QString summary() const;

    bool routingOnly_ = false;
    QFormLayout* rows_ = nullptr;
    QDoubleSpinBox* temperature_;
    QSpinBox* topK_;
    QDoubleSpinBox* topP_;
    QSpinBox* seed_;
    QSpinBox* maxTokens_;
    QComboBox* rule_;
    QDoubleSpinBox* threshold_;
    QCheckBox* exits_;
    WhatIfControls* whatIf_;
};

/// What the button says.
QString summaryOf(const RunSettings&);

/// How tokens are selected: "threshold 0.85" or "TopK"; empty for the usual way.
QString routingSummaryOf(const RunSettings&);

}  // namespace mor::ui
