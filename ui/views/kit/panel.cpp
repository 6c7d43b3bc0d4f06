// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/panel.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/kit/icons.hpp"
#include "views/kit/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kPadding = 12;
constexpr double kHead = 20;
constexpr double kSpace = 6;  // below the title line

/// Says as much as fits, and the rest in its tooltip.
class ElidedLabel : public QLabel {
public:
    using QLabel::QLabel;

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setPen(palette().color(QPalette::WindowText));
        drawLine(painter, rect(), Qt::AlignLeft | Qt::AlignVCenter, text());
    }
};

void colour(QLabel* label, const QFont& font, const QColor& ink) {
    auto palette = label->palette();
    palette.setColor(QPalette::WindowText, ink);
    label->setPalette(palette);
    label->setFont(font);
}

void drawBox(QPainter& painter, const Theme& theme, const QRectF& area) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.frame().line, 1));
    painter.setBrush(theme.frame().panel);
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), theme.px(4), theme.px(4));
    painter.restore();
}

}  // namespace

Panel::Panel(const QString& title, const QString& caption, QWidget* content, QWidget* parent)
    : QWidget(parent),
      title_(new QLabel(title)),
      caption_(new ElidedLabel(caption)),
      head_(new QHBoxLayout),
      enlarge_(new QToolButton),
      content_(content) {
    title_->setTextFormat(Qt::PlainText);
    caption_->setTextFormat(Qt::PlainText);
    setAttribute(Qt::WA_OpaquePaintEvent);
    // A long caption gives way instead of widening the window.
    caption_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    head_->addWidget(title_);
    head_->addWidget(caption_, 1);
    head_->addWidget(enlarge_);
    enlarge_->setObjectName(QStringLiteral("enlarge"));
    connect(enlarge_, &QToolButton::clicked, this, &Panel::enlargeWanted);
    auto* column = new QVBoxLayout(this);
    column->addLayout(head_);
    column->addWidget(content, 1);
    title_->setBuddy(content);
    setTheme({});
}

void Panel::setTheme(const Theme& theme) {
    theme_ = theme;
    const int padding = qRound(theme.px(kPadding));
    layout()->setContentsMargins(padding, qRound(theme.px(8)), padding, qRound(theme.px(10)));
    layout()->setSpacing(qRound(theme.px(kSpace)));
    head_->setSpacing(padding);
    title_->setMinimumHeight(qRound(theme.px(kHead)));  // whatever stands at its right: titles side by side align
    showButton();
    colour(title_, theme.title(), theme.frame().text);
    colour(caption_, theme.caption(), theme.frame().caption);
    for (int i = 0; i < head_->count(); ++i)
        if (auto* themed = dynamic_cast<Themed*>(head_->itemAt(i)->widget())) themed->setTheme(theme);
    if (auto* themed = dynamic_cast<Themed*>(content_)) themed->setTheme(theme);
    update();
}

void Panel::setEnlarged(bool on) {
    enlarged_ = on;
    showButton();
}

void Panel::showButton() {
    const auto& frame = theme_.frame();
    enlarge_->setIcon(icon(enlarged_ ? Glyph::Reduce : Glyph::Enlarge, frame.caption, frame.paleLine));
    const int side = qRound(theme_.px(kHead));
    enlarge_->setFixedSize(side, side);
    enlarge_->setIconSize(QSize(side, side) * 0.8);
    enlarge_->setToolTip(enlarged_ ? tr("Back to all views (Esc)") : tr("This view alone (F6)"));
    enlarge_->setAccessibleName(enlarge_->toolTip());
    enlarge_->setStyleSheet(
        QStringLiteral("QToolButton { border: 0; min-height: 0; padding: 0; border-radius: %1px; background: transparent; }"
                       "QToolButton:hover, QToolButton:focus { background: %2; }")
            .arg(qRound(theme_.px(3)))
            .arg(frame.track.name()));
}

void Panel::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && event->position().y() < content_->y()) emit enlargeWanted();
}

void Panel::setTitle(const QString& title) { title_->setText(title); }

void Panel::setCaption(const QString& caption) {
    caption_->setText(caption);
    caption_->setToolTip(caption);
}

void Panel::addCorner(QWidget* widget) {
    head_->insertWidget(head_->count() - 1, widget, 0, Qt::AlignVCenter);
    if (auto* themed = dynamic_cast<Themed*>(widget)) themed->setTheme(theme_);
}

QSizeF Panel::around(const Theme& theme) { return {2 * theme.px(kPadding), theme.px(8 + kHead + kSpace + 10)}; }

QRectF Panel::drawInto(QPainter& painter, const Theme& theme, const QRectF& area, const QString& title,
                       const QString& caption) {
    drawBox(painter, theme, area);
    const double padding = theme.px(kPadding);
    const QRectF head(area.left() + padding, area.top() + theme.px(8), area.width() - 2 * padding, theme.px(kHead));
    painter.save();
    painter.setFont(theme.title());
    painter.setPen(theme.frame().text);
    drawLine(painter, head, Qt::AlignLeft | Qt::AlignVCenter, title);
    const double used = textWidth(theme.title(), title) + padding;
    painter.setFont(theme.caption());
    painter.setPen(theme.frame().caption);
    drawLine(painter, head.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, caption);
    painter.restore();
    return area.adjusted(padding, theme.px(8 + kHead + kSpace), -padding, -theme.px(10));
}

void Panel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().ground);
    drawBox(painter, theme_, rect());
}

}  // namespace mor::ui
