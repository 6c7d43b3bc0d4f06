// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/token_view.hpp"

#include <QCoreApplication>
#include <QHelpEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QToolTip>
#include <utility>

#include "views/kit/interaction.hpp"
#include "views/kit/later.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {

/// Sees what the pointer does on the surface, whichever way the widget handles its events.
class TokenPicture::Pointer : public QObject {
public:
    Pointer(TokenPicture& view, QWidget* surface) : view_(view) { surface->installEventFilter(this); }

protected:
    bool eventFilter(QObject*, QEvent* event) override { return view_.followPointer(*event); }

private:
    TokenPicture& view_;
};

TokenPicture::TokenPicture(TraceModel* model, Selection* selection, ViewTraits traits)
    : model_(model), selection_(selection), traits_(std::move(traits)) {}

/// Before the widget, which still gets events while it goes.
TokenPicture::~TokenPicture() = default;

void TokenPicture::attach(QWidget* widget, QWidget* surface) {
    widget_ = widget;
    surface_ = surface;
    describer_ = new Later(widget, kDescribeLater, [this] { widget_->setAccessibleDescription(description()); });
    pointer_ = std::make_unique<Pointer>(*this, surface);
    widget->setFocusPolicy(Qt::StrongFocus);
    widget->setAccessibleName(traits_.name);
    surface->setMouseTracking(true);
    surface->setAttribute(Qt::WA_OpaquePaintEvent);
    listen();
}

void TokenPicture::listen() {
    QObject::connect(model_, &QAbstractItemModel::modelReset, pointer_.get(), [this] {
        mixColours();
        restart();
        describeNow();
        surface_->update();
    });
    QObject::connect(model_, &TraceModel::extended, pointer_.get(), [this] {
        extend();
        describeSoon();
    });
    QObject::connect(model_, &TraceModel::rewound, pointer_.get(), [this] { rewind(); });
    QObject::connect(selection_, &Selection::changed, pointer_.get(), [this] {
        const bool acted = std::exchange(marks_, selection_->marks()) != selection_->marks();
        selectionChanged(acted);
        acted ? describeNow() : describeSoon();
    });
}

void TokenPicture::setTheme(const Theme& theme) {
    theme_ = theme;
    auto colours = widget_->palette();
    colours.setColor(QPalette::Base, theme.frame().panel);
    colours.setColor(QPalette::Window, theme.frame().panel);
    widget_->setPalette(colours);
    mixColours();
    restyle();
    widget_->updateGeometry();
    surface_->update();
}

void TokenPicture::drawInto(QPainter& painter, const QRectF& area) const {
    if (const auto empty = emptyText(); !empty.isEmpty()) return drawEmptyState(painter, theme_, area, empty);
    painter.save();
    draw(painter, area);
    painter.restore();
}

QString TokenPicture::description() const {
    const auto empty = emptyText();
    return empty.isEmpty() ? describe() : empty;
}

QString TokenPicture::emptyText() const { return model_->tokenCount() == 0 ? nothingYet() : QString(); }

QString TokenPicture::nothingYet() const {
    return model_->hasRun() ? QCoreApplication::translate("mor::ui", "Reading the prompt …") : traits_.invitation;
}

QString TokenPicture::tipAt(const QPointF& at) const { return tokenTip(*model_, tokenAt(at)); }

bool TokenPicture::press(QKeyEvent& event) { return steer(*selection_, *model_, event); }

void TokenPicture::pin(const QPointF& at) {
    const QScopedValueRollback<bool> here(pointedAt_, true);
    selection_->togglePin(tokenAt(at));
}

/// True: the view has nothing left to do for this event.
bool TokenPicture::followPointer(const QEvent& event) {
    const QScopedValueRollback<bool> here(pointedAt_, true);
    switch (event.type()) {
        case QEvent::MouseMove: {
            const auto& move = static_cast<const QMouseEvent&>(event);
            // While something is dragged the pointer says nothing about tokens.
            if (move.buttons() == Qt::NoButton) selection_->setHovered(tokenAt(move.position()));
            return false;
        }
        case QEvent::Leave:
            selection_->setHovered(-1);
            return false;
        case QEvent::ToolTip: {
            const auto& help = static_cast<const QHelpEvent&>(event);
            const auto tip = tipAt(help.pos());
            tip.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help.globalPos(), tip, surface_);
            return true;
        }
        default:
            return false;
    }
}

void TokenPicture::describeSoon() { describer_->soon(); }

void TokenPicture::describeNow() { describer_->now(); }

WholeView::WholeView(TraceModel* model, Selection* selection, ViewTraits traits, QWidget* parent)
    : TokenView(model, selection, std::move(traits), parent),
      refreshing_(new Later(this, kDrawLater, [this] { refresh(); })) {}

void WholeView::refresh() { update(); }

void WholeView::extend() { refreshing_->soon(); }

void WholeView::selectionChanged(bool acted) { acted ? refreshing_->now() : refreshing_->soon(); }

void WholeView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().panel);
    drawInto(painter, rect());
    if (emptyText().isEmpty()) drawHints(painter);
}

}  // namespace mor::ui
