// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/what_if_controls.hpp"

#include <QComboBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QSpinBox>

namespace mor::ui {

std::optional<std::map<int, int>> parseForcedDepths(const QString& text, int leastDepth, int mostDepth) {
    std::map<int, int> forced;
    for (const QString& pair : text.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        if (pair.trimmed().isEmpty()) continue;
        const QStringList sides = pair.split(QLatin1Char('='));
        if (sides.size() != 2) return std::nullopt;
        bool isPosition = false, isDepth = false;
        const int position = sides[0].trimmed().toInt(&isPosition), depth = sides[1].trimmed().toInt(&isDepth);
        if (!isPosition || !isDepth || position < 0 || depth < leastDepth || depth > mostDepth) return std::nullopt;
        forced[position] = depth;
    }
    return forced;
}

WhatIfControls::WhatIfControls(QWidget* parent)
    : QWidget(parent), head_(new QComboBox), depth_(new QSpinBox), forced_(new QLineEdit), kvPolicy_(new QComboBox) {
    auto* rows = new QFormLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(8);
    rows->addRow(tr("Routing &head"), head_);
    rows->addRow(tr("&Depth of all"), depth_);
    rows->addRow(tr("&Forced depths"), forced_);
    rows->addRow(tr("&KV cache"), kvPolicy_);
    depth_->setObjectName(QStringLiteral("fixedDepth"));
    forced_->setObjectName(QStringLiteral("forcedDepths"));
    kvPolicy_->setObjectName(QStringLiteral("kvPolicy"));
    forced_->setPlaceholderText(tr("position=depth, for instance 3=1, 7=2"));
    head_->addItems({tr("The model's own"), tr("Main router"), tr("Auxiliary router")});
    for (auto* box : {head_, kvPolicy_}) connect(box, &QComboBox::currentIndexChanged, this, &WhatIfControls::changed);
    connect(depth_, &QSpinBox::valueChanged, this, &WhatIfControls::changed);
    connect(forced_, &QLineEdit::textChanged, this, &WhatIfControls::changed);
    setModel({});
}

void WhatIfControls::setModel(const mor::ModelInfo& info) {
    const QSignalBlocker quiet(this);
    config_ = info.config.mor;
    const bool routed = config_.routing != mor::Routing::None, recursive = config_.sharing != mor::Sharing::None;
    const QString noRouters = tr("This model has no routers");

    head_->setCurrentIndex(0);
    allow(head_, config_.sampling == mor::ExpertSampling::AuxRouter, tr("Which router's scores the threshold reads"),
          tr("This model has only one router per recursion"));
    depth_->setRange(leastDepth() - 1, config_.num_recursion);  // the lowest value means: as routed
    depth_->setSpecialValueText(tr("as routed"));
    depth_->setValue(depth_->minimum());
    allow(depth_, routed, tr("Every token gets this many recursions; gates still come from the routers"), noRouters);
    forced_->clear();
    allow(forced_, routed, tr("What if these tokens went so deep? Stronger than the depth of all"), noRouters);

    const bool shares = config_.kv_policy == mor::KvPolicy::RecursiveSharing;
    const QString untrained = tr(" (not what it was trained for)");
    kvPolicy_->clear();
    kvPolicy_->addItem(tr("Recursion-wise") + (shares ? untrained : QString()));
    kvPolicy_->addItem(tr("Recursive sharing") + (shares ? QString() : untrained));
    kvPolicy_->setCurrentIndex(shares ? 1 : 0);
    allow(kvPolicy_, recursive && config_.sharing != mor::Sharing::MiddleSequence,
          tr("Whether every recursion keeps its own K/V or reads those of the first"),
          tr("This model cannot share K/V between recursions"));
    emit changed();
}

void WhatIfControls::allow(QWidget* control, bool possible, const QString& tip, const QString& reason) {
    control->setEnabled(possible);
    control->setToolTip(possible ? tip : reason);
}

bool WhatIfControls::isValid() const {
    return parseForcedDepths(forced_->text(), leastDepth(), config_.num_recursion).has_value();
}

WhatIf WhatIfControls::settings() const {
    WhatIf s;
    if (head_->isEnabled()) s.head = static_cast<mor::RoutingHead>(head_->currentIndex());
    if (depth_->isEnabled() && depth_->value() >= leastDepth()) s.fixedDepth = depth_->value();
    if (forced_->isEnabled())
        s.forcedDepth =
            parseForcedDepths(forced_->text(), leastDepth(), config_.num_recursion).value_or(std::map<int, int>{});
    const auto policy = kvPolicy_->currentIndex() == 1 ? mor::KvPolicy::RecursiveSharing : mor::KvPolicy::RecursionWise;
    if (kvPolicy_->isEnabled() && policy != config_.kv_policy) s.kvPolicy = policy;
    return s;
}

QString WhatIfControls::summary() const {
    const WhatIf s = settings();
    QStringList parts;
    if (s.head != mor::RoutingHead::Model)
        parts.append(s.head == mor::RoutingHead::Main ? tr("main router") : tr("auxiliary router"));
    if (s.fixedDepth) parts.append(tr("depth %1").arg(*s.fixedDepth));
    if (!isValid())
        parts.append(tr("forced depths?"));
    else if (!s.forcedDepth.empty())
        parts.append(tr("%n forced", nullptr, static_cast<int>(s.forcedDepth.size())));
    if (s.kvPolicy)
        parts.append(*s.kvPolicy == mor::KvPolicy::RecursiveSharing ? tr("KV sharing, untrained")
                                                                    : tr("own KV, untrained"));
    return parts.join(QStringLiteral("  "));
}

}  // namespace mor::ui
