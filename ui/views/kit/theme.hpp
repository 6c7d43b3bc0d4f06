// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>
#include <algorithm>

#include "views/kit/palette.hpp"

namespace mor::ui {

/// How everything looks. Views get it by setTheme() and hold a copy.
struct Theme {
    Appearance appearance = Appearance::Light;
    ColourMap map = ColourMap::Cividis;
    double scale = 1.0;  ///< 1.6 in presentation mode

    /// Recursions that the depth colours span at least: where runs stand side by side, the largest R of them all, so that
    /// one depth has one colour everywhere. 0: each run's own R.
    int depthScale = 0;

    const Frame& frame() const { return frameOf(appearance); }
    QColor depth(int depth, int recursions) const {
        return depthColour(map, appearance, depth, std::max(recursions, depthScale));
    }
    double px(double size) const { return size * scale; }  ///< a length of the 4-pixel grid on this screen

    QFont caption() const;  ///< 12: captions, axes, numbers
    QFont title() const;    ///< 13 bold: panel titles
    QFont body() const;     ///< 13: values
    QFont token() const;    ///< 16: the text itself

    bool operator==(const Theme&) const = default;
};

/// What takes part in changes of the look.
class Themed {
public:
    virtual ~Themed() = default;
    virtual void setTheme(const Theme&) = 0;
};

/// What every picture can do besides being a widget.
class Picture : public Themed {
public:
    /// Draws the whole picture, without controls, hints or scroll bars, into `area`; what does not fit is left out at the
    /// far end. The same code paints the screen.
    virtual void drawInto(QPainter&, const QRectF& area) const = 0;

    /// The height at which nothing is left out of an area of this width; 0: no height leaves out any of the data.
    virtual double completeHeight(double width) const {
        (void)width;
        return 0;
    }

    /// Catches up with what was put off to the next tick.
    virtual void catchUp() {}

    /// The picture in one or two sentences, for screen readers.
    virtual QString description() const = 0;
};

}  // namespace mor::ui
