// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

class QToolButton;

namespace mor::ui {

class ThresholdEstimate;

/// While a threshold is only estimated: generate with it to know, or go back to what was recorded.
class EstimateButtons : public QWidget, public Themed {
    Q_OBJECT

public:
    explicit EstimateButtons(ThresholdEstimate*, QWidget* parent = nullptr);
    void setTheme(const Theme&) override;

signals:
    void rerunWanted(double threshold);

private:
    void refresh();

    ThresholdEstimate* estimate_;
    QToolButton* rerun_;
    QToolButton* reset_;
};

}  // namespace mor::ui
