// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QWidget>
#include <optional>

#include "mor/comparison.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

/// The figures of two runs over the same tokens, and how often which depth in A met which depth in B.
class ComparisonView : public QWidget, public Picture {
    Q_OBJECT

public:
    explicit ComparisonView(QWidget* parent = nullptr);

    void setComparison(std::optional<mor::RunComparison>);  ///< nothing: not known yet
    const std::optional<mor::RunComparison>& comparison() const { return comparison_; }

    struct Row {
        QString name, a, b, ratio;
    };
    QList<Row> rows() const;
    QString caption() const;  ///< how many tokens are compared

    /// The cell of a pair of depths in a widget of this area; empty where there is no room, or a side has no depths.
    QRectF matrixCell(const QRectF& area, int a, int b) const;

    void setTheme(const Theme&) override;
    void drawInto(QPainter&, const QRectF& area) const override;
    QString description() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    QRectF matrixIn(const QRectF& area) const;
    bool hasMatrix() const { return comparison_ && comparison_->depths.size() > 1 && comparison_->depths[0].size() > 1; }
    double columnWidth(QString Row::*column, double least) const;
    void drawRows(QPainter&, const QRectF& area) const;
    void drawMatrix(QPainter&, const QRectF& area) const;

    std::optional<mor::RunComparison> comparison_;
    Theme theme_;
};

}  // namespace mor::ui
