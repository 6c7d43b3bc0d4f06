// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "views/kit/theme.hpp"

namespace mor::ui {

class TraceModel;

/// Which colour is which depth: one swatch and number for every depth a token of this model can have.
class DepthLegend : public QWidget, public Picture {
    Q_OBJECT

public:
    explicit DepthLegend(const TraceModel*, QWidget* parent = nullptr);

    struct Entry {
        int depth;
        QColor colour;
    };
    QList<Entry> entries() const;

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    const TraceModel* model_;
    Theme theme_;
};

}  // namespace mor::ui
