// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/kit/token_view.hpp"
#include "views/text/token_facts.hpp"

namespace mor::ui {

/// Why the current token went as deep as it did: the card of the token pointed at or pinned, and otherwise of the newest,
/// which is caught up with a few times a second: nobody reads a card that changes with every token. With a second pin the
/// first one is compared with it.
class TokenDetailView : public WholeView {
    Q_OBJECT

public:
    TokenDetailView(TraceModel*, Selection*, QWidget* parent = nullptr);

    std::vector<RoutedRow> rows(int token) const { return routedRows(*model_, colours_, token); }
    QString difference() const;  ///< what two pins differ in; empty without a second
    int shownToken() const;
    void refresh() override;

    QString title() const;    ///< "Token 28 · “had”"
    QString caption() const;  ///< "depth 3 of 3"

signals:
    void titleChanged(const QString& title, const QString& caption);

protected:
    void draw(QPainter&, const QRectF& area) const override;
    QString describe() const override;
    QString emptyText() const override;
    QString tipAt(const QPointF&) const override { return describe(); }
    void mixColours() override { colours_ = HeatColours(theme_, model_->recursions()); }

private:
    int comparedToken() const;  ///< the first pin, when another token is shown; -1: none

    HeatColours colours_;
    int shown_ = -1;
    QString shownTitle_;
    QString shownCaption_;
};

}  // namespace mor::ui
