// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

class QAbstractItemModel;
class QTableView;

namespace mor::ui {

class Selection;

/// The run as a table: for screen readers, for reading exact numbers, and for copying them. Its current row is the token
/// chosen in the views, and choosing a row pins its token there.
class TableDialog : public QDialog {
    Q_OBJECT

public:
    TableDialog(QAbstractItemModel*, Selection*, QWidget* parent = nullptr);

    QTableView* table() const { return table_; }

private:
    void copySelection() const;
    void pin(int row);
    void follow();

    Selection* selection_;
    bool following_ = false;  ///< the row is being chosen by the views
    QTableView* table_;
};

/// The cells of a model as tab-separated lines, header first; what spreadsheets take from the clipboard.
QString tabSeparated(const QAbstractItemModel&, int firstRow, int lastRow);

}  // namespace mor::ui
