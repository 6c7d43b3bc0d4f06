// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/window/shortcuts_dialog.hpp"

#include <QAction>
#include <QDialogButtonBox>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace mor::ui {
namespace {

struct Key {
    QString keys;
    QString what;
};

QList<Key> viewKeys() {
    const auto tr = [](const char* text) { return ShortcutsDialog::tr(text); };
    return {
        {tr("Left, Right"), tr("In a view: move the pin by a token; with Ctrl by ten")},
        {tr("Home, End"), tr("In a view: pin the first or the last token")},
        {tr("+, -, F"), tr("In the heatmap: wider, narrower, all tokens at once")},
        {tr("Up, Down"), tr("In the routing view: what if the threshold were higher or lower; with Shift in large steps")},
        {tr("Backspace"), tr("In the routing view: back to the recorded threshold")},
        {tr("Click"), tr("Pin a token; a second one is compared with the first")},
        {tr("Drag, Ctrl and wheel"), tr("In the heatmap: pan, zoom")}};
}

}  // namespace

ShortcutsDialog::ShortcutsDialog(const QList<QAction*>& actions, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keyboard"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto rows = viewKeys();
    for (auto it = actions.crbegin(); it != actions.crend(); ++it)
        if (!(*it)->shortcut().isEmpty()) {
            const auto what = (*it)->statusTip().isEmpty() ? (*it)->text() : (*it)->statusTip();
            rows.prepend({(*it)->shortcut().toString(QKeySequence::NativeText), what});
        }
    auto* table = new QTableWidget(static_cast<int>(rows.size()), 2);
    table->setObjectName(QStringLiteral("shortcuts"));
    table->setHorizontalHeaderLabels({tr("Key"), tr("What it does")});
    table->verticalHeader()->hide();
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setShowGrid(false);
    for (int i = 0; i < rows.size(); ++i) {
        table->setItem(i, 0, new QTableWidgetItem(rows[i].keys));
        table->setItem(i, 1, new QTableWidgetItem(rows[i].what));
    }
    table->resizeColumnToContents(0);
    table->horizontalHeader()->setStretchLastSection(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->addWidget(table);
    column->addWidget(buttons);
    resize(640, 560);
}

}  // namespace mor::ui
