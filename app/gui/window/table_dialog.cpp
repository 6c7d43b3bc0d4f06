// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/window/table_dialog.hpp"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QScopedValueRollback>
#include <QTableView>
#include <QVBoxLayout>

#include "models/selection.hpp"

namespace mor::ui {

TableDialog::TableDialog(QAbstractItemModel* model, Selection* selection, QWidget* parent)
    : QDialog(parent), selection_(selection), table_(new QTableView) {
    setWindowTitle(tr("Run as a table"));
    setAttribute(Qt::WA_DeleteOnClose);
    resize(960, 560);
    table_->setModel(model);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setAlternatingRowColors(true);
    table_->setAccessibleName(windowTitle());
    table_->verticalHeader()->hide();
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
    table_->resizeColumnsToContents();
    auto* copy = new QAction(tr("Copy rows"), this);
    copy->setShortcut(QKeySequence::Copy);
    connect(copy, &QAction::triggered, this, &TableDialog::copySelection);
    table_->addAction(copy);
    table_->setContextMenuPolicy(Qt::ActionsContextMenu);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 12, 12, 12);
    column->addWidget(table_);
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex& row) { pin(row.row()); });
    connect(selection, &Selection::changed, this, &TableDialog::follow);
    follow();
}

void TableDialog::pin(int row) {
    if (following_ || row < 0 || selection_->pinned() == row) return;
    selection_->clear();
    selection_->togglePin(row);
}

/// While nothing is chosen the newest token is current, but a table that runs away cannot be read.
void TableDialog::follow() {
    if (selection_->hovered() < 0 && selection_->pinned() < 0) return;
    const QScopedValueRollback<bool> quiet(following_, true);
    const int row = selection_->current();
    if (row != table_->currentIndex().row()) table_->selectRow(row);
}

void TableDialog::copySelection() const {
    const auto rows = table_->selectionModel()->selectedRows();
    if (rows.isEmpty()) return;
    QString text;
    for (const QModelIndex& row : rows) {
        const QString lines = tabSeparated(*table_->model(), row.row(), row.row());
        text += text.isEmpty() ? lines : lines.section('\n', 1);
    }
    QGuiApplication::clipboard()->setText(text);
}

QString tabSeparated(const QAbstractItemModel& model, int firstRow, int lastRow) {
    const auto line = [&](auto&& cell) {
        QStringList cells;
        for (int column = 0; column < model.columnCount(); ++column)
            cells.append(cell(column).toString().replace('\t', ' ').replace('\n', ' '));
        return cells.join('\t') + '\n';
    };
    QString text = line([&](int column) { return model.headerData(column, Qt::Horizontal); });
    for (int row = firstRow; row <= lastRow; ++row)
        text += line([&](int column) { return model.index(row, column).data(); });
    return text;
}

}  // namespace mor::ui
