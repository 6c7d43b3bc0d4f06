// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/table_dialog.hpp"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QTableView>
#include <QVBoxLayout>

namespace mor::ui {

TableDialog::TableDialog(QAbstractItemModel* model, QWidget* parent) : QDialog(parent), table_(new QTableView) {
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
