// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>
#include <QRectF>
#include <QString>
#include <vector>

#include "gui/page/trace_page.hpp"

class QPainter;

namespace mor::ui {

/// A run as a picture on one sheet: what it was made with, all views (or one) as the page shows them, and the command that
/// makes it again. Nothing is left out: the sheet is as wide as wanted and as high as its views need; a view that needs
/// much more height than its neighbours stands alone, over the full width.
class RunSheet {
public:
    /// `view` names one view, empty: all. The page lives as long.
    RunSheet(const TracePage&, const QSize& wanted, const QString& view = {});

    QSizeF size() const { return size_; }  ///< at least as wanted, never wider
    void draw(QPainter&) const;            ///< from (0, 0)

private:
    struct Words {
        QString text;
        QFont font;
        QColor ink;
        QRectF area;
    };
    struct Box {
        const TracePage::View* view;
        QRectF area;
    };
    using Row = std::vector<Box>;  ///< beside each other, equally high

    double write(const QString&, const QFont&, const QColor&, double top);  ///< returns where the next may begin
    double writeHead();
    std::vector<Row> rowsOf(const QString& only) const;
    Row place(const std::vector<const TracePage::View*>&) const;
    double completeHeight(const TracePage::View&, double width) const;  ///< of its box
    double heightOnPage(const Row&) const;

    const TracePage& page_;
    const Theme& theme_;
    double margin_;
    double width_;  ///< without margins
    QSizeF size_;
    std::vector<Words> words_;
    std::vector<Row> rows_;
};

}  // namespace mor::ui
