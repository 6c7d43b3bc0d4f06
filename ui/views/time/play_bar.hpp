// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

class QComboBox;
class QLabel;
class QSlider;
class QToolButton;

namespace mor::ui {

class ConditionsEditor;
class TracePlayer;

/// Time under the hand: one slider over the whole run, single steps, speed, and what to stop at.
class PlayBar : public QWidget, public Themed {
    Q_OBJECT

public:
    explicit PlayBar(TracePlayer*, QWidget* parent = nullptr);

    QSlider* slider() const { return slider_; }
    QComboBox* speeds() const { return speeds_; }
    ConditionsEditor* conditions() const { return conditions_; }
    QToolButton* playButton() const { return play_; }
    QString positionText() const;  ///< "token 12 of 80 + 3 passes"
    double speed() const;
    void setSpeed(double tokensPerSecond);

    void setTheme(const Theme&) override;

signals:
    void playToggled();
    void matchWanted(int step);

private:
    void refresh();
    void showConditions();

    void showIcons();
    void reserveWidth();

    TracePlayer* player_;
    Theme theme_;
    QToolButton* back_;
    QToolButton* play_;
    QToolButton* forward_;
    QSlider* slider_;
    QLabel* position_;
    QComboBox* speeds_;
    QToolButton* stopWhen_;
    ConditionsEditor* conditions_;
    qsizetype reserved_ = 0;  ///< digits that the position has room for
};

}  // namespace mor::ui
