// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "models/token_conditions.hpp"

class QCheckBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace mor::ui {

/// Which tokens to stop at and to look for.
class ConditionsEditor : public QWidget {
    Q_OBJECT

public:
    explicit ConditionsEditor(QWidget* parent = nullptr);

    TokenConditions conditions() const;
    void setConditions(const TokenConditions&);
    QString summary() const;  ///< "depth ≥ 3 or “king”"; empty without conditions

signals:
    void changed();
    void matchWanted(int step);  ///< 1: the next token that matches, -1: the one before

private:
    QCheckBox* depthOn_;
    QSpinBox* depth_;
    QCheckBox* marginOn_;
    QDoubleSpinBox* margin_;
    QCheckBox* textOn_;
    QLineEdit* text_;
};

}  // namespace mor::ui
