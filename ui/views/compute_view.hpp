// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QWidget>

#include "views/theme.hpp"

namespace mor::ui {

class TraceModel;

/// The run in numbers: speed, depth and arithmetic, each labelled measured, counted or computed.
class ComputeView : public QWidget, public Picture {
    Q_OBJECT

public:
    explicit ComputeView(TraceModel*, QWidget* parent = nullptr);

    struct Row {
        QString name;
        QString value;   ///< "–" while it is not known
        QString origin;  ///< "measured", "counted" or "computed"
    };
    QList<Row> rows() const;

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    TraceModel* model_;
    Theme theme_;
};

}  // namespace mor::ui
