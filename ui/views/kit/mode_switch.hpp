// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

class QButtonGroup;

namespace mor::ui {

/// A row of small words in the corner of a panel, one of them chosen: which of several pictures it shows.
class ModeSwitch : public QWidget, public Themed {
    Q_OBJECT

public:
    struct Mode {
        QString name;
        QString tip;
    };
    explicit ModeSwitch(const QList<Mode>&, QWidget* parent = nullptr);

    int mode() const;
    void setMode(int);  ///< an index into the list; ignored where there is none

    void setTheme(const Theme&) override;

signals:
    void modeChanged(int);

private:
    QButtonGroup* group_;
};

}  // namespace mor::ui
