// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/icons.hpp"

#include <QPainter>
#include <QPainterPath>
#include <QPixmap>

namespace mor::ui {

namespace {

constexpr int kSide = 16;  ///< the grid the paths are drawn on, pixels at scale 1

/// Two thin arms that meet at `tip`.
void addCorner(QPainterPath& path, const QPointF& tip, double x, double y) {
    constexpr double thick = 1.5;
    path.addRect(QRectF(tip, QSizeF(x, y < 0 ? -thick : thick)).normalized());
    path.addRect(QRectF(tip, QSizeF(x < 0 ? -thick : thick, y)).normalized());
    path.setFillRule(Qt::WindingFill);
}

QPainterPath pathOf(Glyph glyph) {
    QPainterPath path;
    switch (glyph) {
        case Glyph::Play:
            path.addPolygon(QPolygonF{{4, 2.5}, {13, 8}, {4, 13.5}, {4, 2.5}});
            break;
        case Glyph::Pause:
            path.addRect(4, 3, 3, 10);
            path.addRect(9, 3, 3, 10);
            break;
        case Glyph::PreviousToken:
            path.addPolygon(QPolygonF{{13, 3.5}, {6.5, 8}, {13, 12.5}, {13, 3.5}});
            path.addRect(3, 3.5, 2.5, 9);
            break;
        case Glyph::NextToken:  // to the right, as columns grow
            path.addPolygon(QPolygonF{{3, 3.5}, {9.5, 8}, {3, 12.5}, {3, 3.5}});
            path.addRect(10.5, 3.5, 2.5, 9);
            break;
        case Glyph::NextRecursion:  // upwards, as rows grow
            path.addPolygon(QPolygonF{{3.5, 13}, {8, 6.5}, {12.5, 13}, {3.5, 13}});
            path.addRect(3.5, 3, 9, 2.5);
            break;
        case Glyph::Stop:
            path.addRect(3.5, 3.5, 9, 9);
            break;
        case Glyph::Menu:
            for (const double y : {3.5, 7.25, 11.0}) path.addRect(2, y, 12, 1.5);
            break;
        case Glyph::Enlarge:  // two corners, pointing out
            addCorner(path, {13, 3}, -5, 5);
            addCorner(path, {3, 13}, 5, -5);
            break;
        case Glyph::Reduce:  // the same, pointing in
            addCorner(path, {8.75, 7.25}, 4.5, -4.5);
            addCorner(path, {7.25, 8.75}, -4.5, 4.5);
            break;
    }
    return path;
}

QPixmap pixmap(Glyph glyph, const QColor& ink, double scale) {
    const int side = qRound(kSide * scale);
    QPixmap pixmap(side, side);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(scale, scale);
    painter.fillPath(pathOf(glyph), ink);
    painter.end();
    pixmap.setDevicePixelRatio(scale);
    return pixmap;
}

}  // namespace

QIcon icon(Glyph glyph, const QColor& ink, const QColor& disabled) {
    QIcon icon;
    for (const double scale : {1.0, 2.0}) {
        icon.addPixmap(pixmap(glyph, ink, scale), QIcon::Normal);
        icon.addPixmap(pixmap(glyph, disabled, scale), QIcon::Disabled);
    }
    return icon;
}

}  // namespace mor::ui
