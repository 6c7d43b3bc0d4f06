// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/model_entry.hpp"

#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QWidget>
#include <algorithm>

#include "views/kit/palette.hpp"

namespace mor::ui {

namespace {

constexpr int kPadding = 8, kMark = 20, kGap = 16;  // pixels: around the texts, for the tick, between name and kind

/// A menu draws one line an entry, so this one draws itself and behaves as the menu's own do.
class EntryWidget : public QWidget {
public:
    EntryWidget(ModelEntry* entry, QMenu* menu) : entry_(entry), menu_(menu) {
        setMouseTracking(true);
        connect(menu, &QMenu::hovered, this, qOverload<>(&QWidget::update));
        connect(menu, &QMenu::aboutToShow, this, qOverload<>(&QWidget::update));
        connect(entry, &QAction::changed, this, qOverload<>(&QWidget::update));
    }

    QSize sizeHint() const override {
        const QFontMetrics bold(titleFont()), plain(font());
        const int first = bold.horizontalAdvance(entry_->text()) + kGap + plain.horizontalAdvance(entry_->kind());
        const int second = plain.horizontalAdvance(entry_->toolTip());
        return {2 * kPadding + kMark + std::max(first, second), 2 * kPadding + bold.height() + plain.height()};
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const QColor text = palette().color(QPalette::Text), faint = palette().color(QPalette::PlaceholderText);
        if (menu_->activeAction() == entry_) painter.fillRect(rect(), blend(palette().color(QPalette::Base), text, 0.06));
        const QRect area = rect().adjusted(kPadding + kMark, kPadding, -kPadding, -kPadding);
        const int half = area.height() / 2;
        const QRect first(area.left(), area.top(), area.width(), half), second(first.translated(0, half));
        painter.setFont(titleFont());
        painter.setPen(text);
        if (entry_->isChecked())
            painter.drawText(QRect(kPadding, first.top(), kMark, half), Qt::AlignLeft | Qt::AlignVCenter,
                             QStringLiteral("✓"));
        painter.drawText(first, Qt::AlignLeft | Qt::AlignVCenter, entry_->text());
        painter.setFont(font());
        painter.setPen(faint);
        const int after = QFontMetrics(titleFont()).horizontalAdvance(entry_->text()) + kGap;
        painter.drawText(first.adjusted(after, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, entry_->kind());
        painter.drawText(second, Qt::AlignLeft | Qt::AlignVCenter, entry_->toolTip());
    }
    void enterEvent(QEnterEvent*) override { menu_->setActiveAction(entry_); }
    void mouseReleaseEvent(QMouseEvent* event) override {
        if (event->button() != Qt::LeftButton || !rect().contains(event->position().toPoint())) return;
        menu_->close();
        entry_->trigger();
    }

private:
    QFont titleFont() const {
        QFont bold(font());
        bold.setBold(true);
        return bold;
    }

    ModelEntry* entry_;
    QMenu* menu_;
};

}  // namespace

ModelEntry::ModelEntry(const mor::ModelCard& model, QMenu* menu)
    : QWidgetAction(menu), kind_(QString::fromStdString(model.kind)) {
    setText(QString::fromStdString(model.name));
    setToolTip(QString::fromStdString(model.summary));
    setData(QString::fromStdString(model.directory.string()));
    setCheckable(true);
    setDefaultWidget(new EntryWidget(this, menu));
}

}  // namespace mor::ui
