// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/run_controls.hpp"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QSpinBox>
#include <QWidgetAction>

namespace mor::ui {

namespace {

QDoubleSpinBox* realBox(double lowest, double highest, double step, const QString& tip) {
    auto* box = new QDoubleSpinBox;
    box->setRange(lowest, highest);
    box->setSingleStep(step);
    box->setDecimals(2);
    box->setToolTip(tip);
    return box;
}

QSpinBox* wholeBox(int lowest, int highest, const QString& tip) {
    auto* box = new QSpinBox;
    box->setRange(lowest, highest);
    box->setGroupSeparatorShown(true);
    box->setToolTip(tip);
    return box;
}

}  // namespace

RunControls::RunControls(QWidget* parent)
    : QToolButton(parent),
      temperature_(realBox(0, 5, 0.1, tr("0 always takes the most likely token; higher is more surprising"))),
      topK_(wholeBox(0, 1 << 20, tr("Choose among so many of the likeliest tokens"))),
      topP_(realBox(0.01, 1, 0.05, tr("Then among the likeliest whose probability together reaches this"))),
      seed_(wholeBox(0, INT32_MAX, tr("The same seed gives the same text"))),
      maxTokens_(wholeBox(1, RunSettings::kMostTokens, tr("Tokens to write after the prompt"))),
      rule_(new QComboBox),
      threshold_(realBox(0.01, 0.99, 0.05,
                         tr("A token goes on when its router score reaches this; 0.50 is what the model was trained for"))),
      exits_(new QCheckBox(tr("what the model would say after &each recursion"))),
      whatIf_(new WhatIfControls) {
    setObjectName(QStringLiteral("quiet"));
    setPopupMode(QToolButton::InstantPopup);
    setAccessibleName(tr("Sampling and routing"));
    setToolTip(tr("How tokens are chosen and how deep they go"));
    topK_->setSpecialValueText(tr("all"));
    rule_->addItems({tr("Threshold (causal)"), tr("TopK of the prompt")});
    exits_->setToolTip(
        tr("The last layer and the head run once more for every recursion a token took: slower, and without "
           "it the token card shows no exits"));
    rule_->setToolTip(tr("How a recursion selects its tokens"));
    auto* menu = new QMenu(this);
    auto* holder = new QWidgetAction(menu);
    holder->setDefaultWidget(makeForm());
    menu->addAction(holder);
    setMenu(menu);
    for (auto* box : {temperature_, topP_, threshold_})
        connect(box, &QDoubleSpinBox::valueChanged, this, &RunControls::settingsChanged);
    for (auto* box : {topK_, seed_, maxTokens_}) connect(box, &QSpinBox::valueChanged, this, &RunControls::settingsChanged);
    connect(rule_, &QComboBox::currentIndexChanged, this, &RunControls::settingsChanged);
    connect(whatIf_, &WhatIfControls::changed, this, &RunControls::settingsChanged);
    setSettings({});
}

QWidget* RunControls::makeForm() {
    auto* form = new QWidget;
    rows_ = new QFormLayout(form);
    rows_->setContentsMargins(12, 12, 12, 12);
    rows_->setSpacing(8);
    rows_->addRow(tr("&Temperature"), temperature_);
    rows_->addRow(tr("Top-&k"), topK_);
    rows_->addRow(tr("Top-&p"), topP_);
    rows_->addRow(tr("&Seed"), seed_);
    rows_->addRow(tr("&Max tokens"), maxTokens_);
    rows_->addRow(tr("&Routing"), rule_);
    rows_->addRow(tr("T&hreshold"), threshold_);
    rows_->addRow(tr("Record"), exits_);
    rows_->addRow(whatIf_);
    return form;
}

RunSettings RunControls::settings() const {
    RunSettings s;
    s.sampling.temperature = static_cast<float>(temperature_->value());
    s.sampling.top_k = topK_->value();
    s.sampling.top_p = static_cast<float>(topP_->value());
    s.sampling.seed = static_cast<std::uint64_t>(seed_->value());
    s.maxTokens = maxTokens_->value();
    s.rule = rule_->currentIndex() == 0 ? mor::SelectionRule::Threshold : mor::SelectionRule::TopK;
    s.threshold = threshold_->value();
    s.exits = exits_->isChecked();
    return s;
}

mor::RoutingSettings RunControls::routing() const {
    const WhatIf whatIf = whatIf_->settings();
    mor::RoutingSettings routing;
    routing.rule = rule_->currentIndex() == 0 ? mor::SelectionRule::Threshold : mor::SelectionRule::TopK;
    routing.threshold = threshold_->value();
    routing.head = whatIf.head;
    routing.fixed_depth = whatIf.fixedDepth;
    routing.forced_depth = whatIf.forcedDepth;
    return routing;
}

void RunControls::setThreshold(double threshold) {
    rule_->setCurrentIndex(0);
    threshold_->setValue(threshold);
}

void RunControls::setSettings(const RunSettings& s) {
    temperature_->setValue(static_cast<double>(s.sampling.temperature));
    topK_->setValue(s.sampling.top_k);
    topP_->setValue(static_cast<double>(s.sampling.top_p));
    seed_->setValue(static_cast<int>(s.sampling.seed));
    maxTokens_->setValue(s.maxTokens);
    rule_->setCurrentIndex(s.rule == mor::SelectionRule::Threshold ? 0 : 1);
    threshold_->setValue(s.threshold);
    exits_->setChecked(s.exits);
    settingsChanged();
}

void RunControls::settingsChanged() {
    const RunSettings s = settings();
    // Greedy choice ignores the other controls of sampling.
    const bool samples = s.sampling.temperature > 0;
    topK_->setEnabled(samples);
    topP_->setEnabled(samples);
    seed_->setEnabled(samples);
    setText(summary());
    emit changed();
}

void RunControls::showRoutingOnly() {
    routingOnly_ = true;
    for (QWidget* box : std::initializer_list<QWidget*>{temperature_, topK_, topP_, seed_, maxTokens_, exits_})
        rows_->setRowVisible(box, false);
    setToolTip(tr("How deep tokens go"));
    setText(summary());
}

QString RunControls::summary() const {
    QStringList parts{routingOnly_ ? routingSummaryOf(settings()) : summaryOf(settings()), whatIf_->summary()};
    parts.removeAll(QString());
    return parts.isEmpty() ? tr("Routing: as trained") : parts.join(QStringLiteral("  "));
}

QString summaryOf(const RunSettings& s) {
    const QLocale locale;
    QStringList parts;
    if (s.sampling.temperature > 0) {
        parts.append(QStringLiteral("T %1").arg(locale.toString(static_cast<double>(s.sampling.temperature), 'g', 3)));
        if (s.sampling.top_k > 0) parts.append(RunControls::tr("top-k %1").arg(s.sampling.top_k));
        if (s.sampling.top_p < 1)
            parts.append(RunControls::tr("top-p %1").arg(locale.toString(static_cast<double>(s.sampling.top_p), 'g', 3)));
        parts.append(RunControls::tr("seed %1").arg(s.sampling.seed));
    } else {
        parts.append(RunControls::tr("greedy"));
    }
    parts.append(RunControls::tr("%1 tokens").arg(locale.toString(s.maxTokens)));
    parts.append(routingSummaryOf(s));
    parts.removeAll(QString());
    return parts.join(QStringLiteral("  "));
}

QString routingSummaryOf(const RunSettings& s) {
    if (s.rule == mor::SelectionRule::TopK) return RunControls::tr("TopK");
    return s.threshold == 0.5 ? QString() : RunControls::tr("threshold %1").arg(QLocale().toString(s.threshold, 'f', 2));
}

}  // namespace mor::ui
