// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

class QAbstractItemModel;
class QTableView;

namespace mor::ui {

/// The run as a table: for screen readers, for reading exact numbers, and for copying them.
class TableDialog : public QDialog {
    Q_OBJECT

public:
    TableDialog(QAbstractItemModel*, QWidget* parent = nullptr);

private:
    void copySelection() const;

    QTableView* table_;
};

/// The cells of a model as tab-separated lines, header first; what spreadsheets take from the clipboard.
QString tabSeparated(const QAbstractItemModel&, int firstRow, int lastRow);

}  // namespace mor::ui
