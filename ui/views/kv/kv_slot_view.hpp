// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QImage>

#include "models/kv_slots.hpp"
#include "views/kit/token_view.hpp"

namespace mor::ui {

/// Which tokens hold keys and values in which recursion: stored, shared or absent. With a token chosen, what attention of
/// that token could see stays bright and the rest fades. All tokens are always in sight.
class KvSlotView : public WholeView {
    Q_OBJECT

public:
    KvSlotView(TraceModel*, Selection*, QWidget* parent = nullptr);

    bool hasOutside() const;                          ///< some layers are outside the recursions: they are the lowest row
    QRectF cellRect(int token, int recursion) const;  ///< recursion -1: the layers outside
    int tokenAt(const QPointF&) const override;
    QString rowText(int recursion) const;  ///< right of a row: entries and bytes, or what the token saw

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    void mixColours() override { forgetImage(); }
    void rewind() override;

private:
    struct Layout {
        QRectF cells;
        double row = 0;     ///< height
        double column = 0;  ///< width, may be less than a pixel
        int rows = 0;
    };
    Layout layOut(const QRectF& area) const;
    QRectF cellIn(const Layout&, int token, int recursion) const;
    int chosen() const;  ///< the token whose view is shown, or -1
    bool isSeen(int token, int recursion) const;
    QColor rowColour(int recursion) const;
    void drawRows(QPainter&, const QRectF& area, const Layout&) const;
    void drawCells(QPainter&, const Layout&) const;
    const QImage& image() const;
    void paintColumns(int from, int to) const;
    void forgetImage() { kept_ = 0; }
    void drawKey(QPainter&, const QRectF& area) const;
    void drawMarks(QPainter&, const Layout&) const;

    mutable QImage image_;     ///< one column a token, at least as wide as all
    mutable int kept_ = 0;     ///< columns of it that are painted
    mutable int seenBy_ = -1;  ///< for this chosen token
};

}  // namespace mor::ui
