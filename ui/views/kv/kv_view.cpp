// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kv/kv_view.hpp"

#include <QStackedLayout>

#include "models/selection.hpp"
#include "models/trace_model.hpp"
#include "views/kit/later.hpp"
#include "views/kv/kv_chart_view.hpp"
#include "views/kv/kv_slot_view.hpp"

namespace mor::ui {

KvView::KvView(TraceModel* model, Selection* selection, QWidget* parent)
    : QWidget(parent),
      chart_(new KvChartView(model, selection)),
      slots_(new KvSlotView(model, selection)),
      stack_(new QStackedLayout(this)) {
    stack_->addWidget(chart_);
    stack_->addWidget(slots_);
    setFocusProxy(chart_);
    setAccessibleName(tr("KV cache"));
    auto* describer = new Later(this, kDescribeLater, [this] { setAccessibleDescription(description()); });
    connect(model, &QAbstractItemModel::modelReset, describer, &Later::now);
    connect(selection, &Selection::changed, describer,
            [=] { selection->marks().any() ? describer->now() : describer->soon(); });
}

const Picture& KvView::shown() const {
    if (mode_ == Slots) return *slots_;
    return *chart_;
}

void KvView::setMode(Mode mode) {
    mode_ = mode;
    chart_->setQuantity(mode == Reserved ? KvQuantity::Reserved : KvQuantity::Used);
    stack_->setCurrentIndex(mode == Slots ? 1 : 0);
    setFocusProxy(stack_->currentWidget());
}

QString KvView::captionOf(Mode mode) const {
    if (mode == Slots) return tr("who has keys and values where");
    return mode == Reserved ? tr("%1 of whole blocks, measured").arg(chart_->curves().unit())
                            : tr("%1, measured").arg(chart_->curves().unit());
}

void KvView::setTheme(const Theme& theme) {
    chart_->setTheme(theme);
    slots_->setTheme(theme);
}

void KvView::drawInto(QPainter& painter, const QRectF& area) const { shown().drawInto(painter, area); }

void KvView::catchUp() {
    chart_->catchUp();
    slots_->catchUp();
}

QString KvView::description() const { return shown().description(); }

}  // namespace mor::ui
