// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractScrollArea>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPointF>
#include <QSize>
#include <QString>
#include <memory>
#include <type_traits>
#include <utility>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/theme.hpp"

namespace mor::ui {

class Later;

/// What is fixed about a view.
struct ViewTraits {
    QString name;        ///< for screen readers
    QString invitation;  ///< what to do while there is no run
    QSizeF size;         ///< pixels before scaling: what it would like
    QSizeF least;        ///< and what it needs
};

/// What all views of one run's tokens have in common, whatever kind of widget they are: the run, the selection and the look
/// they draw from, and what pointer, keys and screen readers get. A subclass says where its tokens are and draws them.
///
/// Pointing hovers, a click pins, resting shows the tooltip, leaving ends it. While a change of the selection comes from
/// the pointer on this view, isPointedAt() is true, and nothing may move: what is pointed at must stay under the pointer.
class TokenPicture : public Picture {
public:
    void setTheme(const Theme&) final;
    void drawInto(QPainter&, const QRectF& area) const final;
    QString description() const final;

    /// The token under a point of the surface, -1: none. Views without places for tokens leave the selection as it is.
    virtual int tokenAt(const QPointF&) const { return selection_->hovered(); }

protected:
    TokenPicture(TraceModel*, Selection*, ViewTraits);
    ~TokenPicture() override;

    /// Connects model and selection with the functions below; `surface` is what is painted and pointed at.
    void attach(QWidget* widget, QWidget* surface);

    virtual void draw(QPainter&, const QRectF& area) const = 0;  ///< while emptyText() is empty
    virtual QString describe() const = 0;                        ///< the same
    virtual QString emptyText() const;                           ///< what stands there instead of a picture
    virtual QString tipAt(const QPointF&) const;

    virtual void mixColours() {}  ///< the theme, or the number of recursions, is another
    virtual void restyle() {}     ///< after the theme changed; everything is painted anew
    virtual void restart() {}     ///< another run; everything is painted anew
    virtual void extend() {}      ///< tokens or partial columns were added
    virtual void rewind() {}      ///< tokens were taken away; extend() follows
    /// The selection changed; `acted`: somebody marked something else, else the newest token is another.
    virtual void selectionChanged(bool acted) = 0;
    virtual bool press(QKeyEvent&);  ///< false: not a key of this view

    void pin(const QPointF&);  ///< as a click there does
    bool isPointedAt() const { return pointedAt_; }
    void describeSoon();
    void describeNow();

    QString nothingYet() const;  ///< emptyText() of a view that waits for tokens

    TraceModel* model_;
    Selection* selection_;
    Theme theme_;
    ViewTraits traits_;

private:
    class Pointer;
    bool followPointer(const QEvent&);
    void listen();

    QWidget* widget_ = nullptr;
    QWidget* surface_ = nullptr;
    std::unique_ptr<Pointer> pointer_;  ///< also what the connections belong to
    Later* describer_ = nullptr;
    Selection::Marks marks_;
    bool pointedAt_ = false;
};

/// A TokenPicture in a widget of this kind. Constructors of subclasses end with setTheme({}).
template <class Widget>
class TokenView : public Widget, public TokenPicture {
public:
    QSize sizeHint() const override { return (traits_.size * theme_.scale).toSize(); }
    QSize minimumSizeHint() const override { return (traits_.least * theme_.scale).toSize(); }

protected:
    TokenView(TraceModel* model, Selection* selection, ViewTraits traits, QWidget* parent)
        : Widget(parent), TokenPicture(model, selection, std::move(traits)) {
        attach(this, surface());
    }

    QWidget* surface() {
        if constexpr (std::is_base_of_v<QAbstractScrollArea, Widget>) {
            this->setFrameShape(Widget::NoFrame);
            return this->viewport();
        } else {
            return this;
        }
    }
    void keyPressEvent(QKeyEvent* event) override {
        if (!press(*event)) Widget::keyPressEvent(event);
    }
    void mousePressEvent(QMouseEvent* event) override {
        if (event->button() == Qt::LeftButton) pin(event->position());
    }
};

/// A view that is painted as a whole: at once after what somebody did, a few times a second while text comes in.
class WholeView : public TokenView<QWidget> {
public:
    virtual void refresh();  ///< takes up what changed, now
    void catchUp() override { refresh(); }

protected:
    WholeView(TraceModel*, Selection*, ViewTraits, QWidget* parent);

    virtual void drawHints(QPainter&) const {}  ///< what can be done here: on the screen only

    void restart() override { refresh(); }
    void extend() override;
    void rewind() override { refresh(); }
    void selectionChanged(bool acted) override;
    void paintEvent(QPaintEvent*) override;

private:
    Later* refreshing_;
};

}  // namespace mor::ui
