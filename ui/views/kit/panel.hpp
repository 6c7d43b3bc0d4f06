// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

class QHBoxLayout;
class QLabel;
class QToolButton;

namespace mor::ui {

/// A flat box with a title and a small grey caption around one view.
class Panel : public QWidget {
    Q_OBJECT

public:
    Panel(const QString& title, const QString& caption, QWidget* content, QWidget* parent = nullptr);

    void setTheme(const Theme&);  ///< its own, the content's and the corner's
    void setTitle(const QString&);
    void setCaption(const QString&);
    void addCorner(QWidget*);  ///< at the right end of the title line: a legend, a button
    QWidget* content() const { return content_; }
    QToolButton* enlargeButton() const { return enlarge_; }
    void setEnlarged(bool);  ///< what the button shows and offers

    /// The pixels that a box adds to the width and height of its content.
    static QSizeF around(const Theme&);

    /// The same box drawn elsewhere (export); returns the area left for the content.
    static QRectF drawInto(QPainter&, const Theme&, const QRectF& area, const QString& title, const QString& caption);

signals:
    void enlargeWanted();  ///< or the way back

protected:
    void paintEvent(QPaintEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;  ///< on the title line

private:
    void showButton();

    Theme theme_;
    bool enlarged_ = false;
    QLabel* title_;
    QLabel* caption_;
    QHBoxLayout* head_;
    QToolButton* enlarge_;
    QWidget* content_;
};

}  // namespace mor::ui
