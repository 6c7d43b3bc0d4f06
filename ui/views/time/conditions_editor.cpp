// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/time/conditions_editor.hpp"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>

namespace mor::ui {

ConditionsEditor::ConditionsEditor(QWidget* parent)
    : QWidget(parent),
      depthOn_(new QCheckBox(tr("&depth at least"))),
      depth_(new QSpinBox),
      marginOn_(new QCheckBox(tr("&margin below"))),
      margin_(new QDoubleSpinBox),
      textOn_(new QCheckBox(tr("&text"))),
      text_(new QLineEdit) {
    depth_->setRange(0, 64);
    depth_->setValue(3);
    margin_->setRange(0.001, 100);
    margin_->setDecimals(3);
    margin_->setSingleStep(0.01);
    margin_->setValue(0.05);
    margin_->setToolTip(tr("How close a router's decision was: score or logit minus its rival, as the trace records it"));
    text_->setPlaceholderText(tr("upper and lower case alike"));
    text_->setObjectName(QStringLiteral("matchText"));
    auto* rows = new QGridLayout(this);
    rows->setContentsMargins(12, 12, 12, 12);
    int row = 0;
    const auto add = [&](QCheckBox* box, QWidget* field) {
        rows->addWidget(box, row, 0);
        rows->addWidget(field, row++, 1);
        connect(box, &QCheckBox::toggled, this, &ConditionsEditor::changed);
    };
    add(depthOn_, depth_);
    add(marginOn_, margin_);
    add(textOn_, text_);
    // Whoever fills in a field means it.
    connect(depth_, &QSpinBox::valueChanged, this, [this] { depthOn_->setChecked(true), emit changed(); });
    connect(margin_, &QDoubleSpinBox::valueChanged, this, [this] { marginOn_->setChecked(true), emit changed(); });
    connect(text_, &QLineEdit::textChanged, this,
            [this](const QString& text) { textOn_->setChecked(!text.isEmpty()), emit changed(); });
    auto* before = new QPushButton(tr("&Previous"));
    auto* after = new QPushButton(tr("&Next"));
    before->setToolTip(tr("Go to the previous token that matches (Shift+F3)"));
    after->setToolTip(tr("Go to the next token that matches (F3)"));
    auto* buttons = new QHBoxLayout;
    buttons->addStretch(1);
    buttons->addWidget(before);
    buttons->addWidget(after);
    rows->addLayout(buttons, row, 0, 1, 2);
    connect(before, &QPushButton::clicked, this, [this] { emit matchWanted(-1); });
    connect(after, &QPushButton::clicked, this, [this] { emit matchWanted(1); });
}

TokenConditions ConditionsEditor::conditions() const {
    TokenConditions conditions;
    if (depthOn_->isChecked()) conditions.depthAtLeast = depth_->value();
    if (marginOn_->isChecked()) conditions.marginBelow = margin_->value();
    if (textOn_->isChecked()) conditions.text = text_->text();
    return conditions;
}

void ConditionsEditor::setConditions(const TokenConditions& conditions) {
    {
        const QSignalBlocker quiet(this);
        if (conditions.depthAtLeast) depth_->setValue(*conditions.depthAtLeast);
        if (conditions.marginBelow) margin_->setValue(*conditions.marginBelow);
        text_->setText(conditions.text);
        depthOn_->setChecked(conditions.depthAtLeast.has_value());
        marginOn_->setChecked(conditions.marginBelow.has_value());
        textOn_->setChecked(!conditions.text.isEmpty());
    }
    emit changed();
}

QString ConditionsEditor::summary() const {
    const auto conditions = this->conditions();
    QStringList parts;
    if (conditions.depthAtLeast) parts += tr("depth ≥ %1").arg(*conditions.depthAtLeast);
    if (conditions.marginBelow) parts += tr("margin < %1").arg(QLocale().toString(*conditions.marginBelow, 'g', 3));
    if (!conditions.text.isEmpty()) parts += QStringLiteral("“%1”").arg(conditions.text);
    return parts.join(tr(" or "));
}

}  // namespace mor::ui
