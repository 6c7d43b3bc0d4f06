// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/error_bar.hpp"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

namespace mor::ui {

ErrorBar::ErrorBar(QWidget* parent) : QFrame(parent), label_(new QLabel) {
    setObjectName(QStringLiteral("errorBar"));
    setAccessibleName(tr("Error"));
    label_->setTextFormat(Qt::PlainText);  // sentences quote files, and files may hold markup
    label_->setWordWrap(true);
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    label_->setFocusPolicy(Qt::ClickFocus);
    auto* close = new QToolButton;
    close->setObjectName(QStringLiteral("dismiss"));
    close->setText(tr("Dismiss"));
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 6, 6);
    row->addWidget(label_, 1);
    row->addWidget(close, 0, Qt::AlignTop);
    hide();
}

void ErrorBar::showSentence(const QString& sentence) {
    label_->setText(sentence);
    setAccessibleDescription(sentence);
    show();
    QAccessibleEvent event(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&event);
}

QString ErrorBar::sentence() const { return isHidden() ? QString() : label_->text(); }

}  // namespace mor::ui
