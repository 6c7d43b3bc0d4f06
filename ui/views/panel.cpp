// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/panel.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

#include "views/painting.hpp"

namespace mor::ui {
namespace {

constexpr double kPadding = 12;
constexpr double kHead = 20;

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
    : QWidget(parent), title_(new QLabel(title)), caption_(new QLabel(caption)), head_(new QHBoxLayout), content_(content) {
    title_->setTextFormat(Qt::PlainText);
    caption_->setTextFormat(Qt::PlainText);
    setAttribute(Qt::WA_OpaquePaintEvent);
    // A long caption gives way instead of widening the window.
    caption_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    head_->addWidget(title_);
    head_->addWidget(caption_, 1);
    auto* column = new QVBoxLayout(this);
    column->addLayout(head_);
    column->addWidget(content, 1);
    title_->setBuddy(content);
    setTheme({});
}

void Panel::setTheme(const Theme& theme) {
    theme_ = theme;
    const int padding = qRound(theme.px(kPadding));
    layout()->setContentsMargins(padding, qRound(theme.px(8)), padding, padding);
    layout()->setSpacing(qRound(theme.px(8)));
    head_->setSpacing(padding);
    colour(title_, theme.title(), theme.frame().text);
    colour(caption_, theme.caption(), theme.frame().caption);
    for (int i = 0; i < head_->count(); ++i)
        if (auto* themed = dynamic_cast<Themed*>(head_->itemAt(i)->widget())) themed->setTheme(theme);
    if (auto* themed = dynamic_cast<Themed*>(content_)) themed->setTheme(theme);
    update();
}

void Panel::setTitle(const QString& title) { title_->setText(title); }

void Panel::setCaption(const QString& caption) { caption_->setText(caption); }

void Panel::addCorner(QWidget* widget) {
    head_->addWidget(widget, 0, Qt::AlignVCenter);
    if (auto* themed = dynamic_cast<Themed*>(widget)) themed->setTheme(theme_);
}

QRectF Panel::drawInto(QPainter& painter, const Theme& theme, const QRectF& area, const QString& title,
                       const QString& caption) {
    drawBox(painter, theme, area);
    const double padding = theme.px(kPadding);
    const QRectF head(area.left() + padding, area.top() + theme.px(8), area.width() - 2 * padding, theme.px(kHead));
    painter.save();
    painter.setFont(theme.title());
    painter.setPen(theme.frame().text);
    drawLine(painter, head, Qt::AlignLeft | Qt::AlignVCenter, title);
    const double used = QFontMetricsF(theme.title()).horizontalAdvance(title) + padding;
    painter.setFont(theme.caption());
    painter.setPen(theme.frame().caption);
    drawLine(painter, head.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, caption);
    painter.restore();
    return area.adjusted(padding, theme.px(8 + kHead + 8), -padding, -padding);
}

void Panel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.frame().ground);
    drawBox(painter, theme_, rect());
}

}  // namespace mor::ui
