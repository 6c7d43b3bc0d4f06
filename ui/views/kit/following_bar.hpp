// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include "views/kit/theme.hpp"

class QScrollBar;

namespace mor::ui {

/// Lets a scroll bar stay with the newest content until the reader scrolls away, and come back when the reader
/// scrolls to the end again. Scrolling by the program (to show a selection) does not count as the reader's wish.
class FollowingBar : public QObject {
public:
    explicit FollowingBar(QScrollBar*);

    void setTheme(const Theme&);  ///< a thin flat bar
    bool following() const { return following_; }
    void restart();                                          ///< new content: follow it
    void setContent(double length, double page, bool stay);  ///< `stay`: don't move even though following
    void reveal(double from, double to);                     ///< scrolls as little as shows [from, to] with some context
    void toEndIfFollowing();
    void scrollTo(int value);  ///< the program moves the content: no wish of the reader's
    void moveTo(int value);    ///< the reader moves the content by other means than the bar

private:
    bool isAtEnd() const;

    QScrollBar* bar_;
    bool following_ = true;
    bool moving_ = false;  ///< by the program
};

}  // namespace mor::ui
