// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

namespace mor::ui {

/// Smaller, larger, everything at once: for those who do not know the wheel and the keys.
class ZoomButtons : public QWidget, public Themed {
    Q_OBJECT

public:
    explicit ZoomButtons(QWidget* parent = nullptr);
    void setTheme(const Theme&) override;

signals:
    void zoomWanted(double factor);
    void fitWanted();
};

}  // namespace mor::ui
