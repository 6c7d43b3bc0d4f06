// SPDX-License-Identifier: GPL-3.0-or-later
// The table face of TraceModel: texts, raw numbers and headers of its cells.
#include <QLocale>
#include <cmath>
#include <numeric>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

/// An unknown number is an empty cell, never "nan".
QVariant number(float value, int decimals, bool raw) {
    if (std::isnan(value)) return {};
    return raw ? QVariant(static_cast<double>(value))
               : QVariant(QLocale().toString(static_cast<double>(value), 'f', decimals));
}

QVariant whole(std::int64_t value, bool raw) {
    return raw ? QVariant(static_cast<qlonglong>(value)) : QVariant(QLocale().toString(static_cast<qlonglong>(value)));
}

}  // namespace

QString outcomeText(mor::Outcome outcome) {
    switch (outcome) {
        case mor::Outcome::Take:
            return TraceModel::tr("continues");
        case mor::Outcome::Leave:
            return TraceModel::tr("leaves");
        case mor::Outcome::KvOnly:
            return TraceModel::tr("leaves (K/V stored)");
        case mor::Outcome::NotOffered:
            break;
    }
    return TraceModel::tr("not offered");
}

int TraceModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : tokenCount(); }

int TraceModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : LeadingColumns + RecursionColumns * recursions_ + TrailingColumns;
}

QVariant TraceModel::leading(const mor::TokenRecord& record, int column, bool raw) const {
    if (column == Token) return QString::fromStdString(record.label);
    return whole(column == Position ? record.position : record.depth, raw);
}

QVariant TraceModel::ofRecursion(int row, int recursion, int column, bool raw) const {
    const auto known = decision(row, recursion);
    if (!known) return {};
    switch (column) {
        case OutcomeColumn:
            return raw ? QVariant(static_cast<int>(known->outcome)) : QVariant(outcomeText(known->outcome));
        case ScoreColumn:
            return number(known->score, 3, raw);
        default:
            return number(known->gate, 3, raw);
    }
}

QVariant TraceModel::trailing(const mor::TokenRecord& record, int column, bool raw) const {
    switch (column) {
        case KvUsed:
            return whole(std::accumulate(record.kv.used.begin(), record.kv.used.end(), std::int64_t{0}), raw);
        case Flops:
            return whole(record.flops, raw);
        default:
            return number(record.logprob, 3, raw);
    }
}

QVariant TraceModel::value(int row, int column, bool raw) const {
    if (column < LeadingColumns) return leading(token(row), column, raw);
    column -= LeadingColumns;
    if (column < RecursionColumns * recursions_)
        return ofRecursion(row, column / RecursionColumns, column % RecursionColumns, raw);
    return trailing(token(row), column - RecursionColumns * recursions_, raw);
}

QVariant TraceModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    switch (role) {
        case Qt::DisplayRole:
            return value(index.row(), index.column(), false);
        case RawRole:
            return value(index.row(), index.column(), true);
        case Qt::TextAlignmentRole: {
            const bool text =
                index.column() == Token || value(index.row(), index.column(), true).userType() == QMetaType::QString;
            return QVariant::fromValue(Qt::Alignment(Qt::AlignVCenter | (text ? Qt::AlignLeft : Qt::AlignRight)));
        }
        default:
            return {};
    }
}

QVariant TraceModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole || section < 0) return {};
    if (orientation == Qt::Vertical) return section < tokenCount() ? QVariant(section) : QVariant();
    if (section >= columnCount()) return {};
    if (section < LeadingColumns) return QStringList{tr("Position"), tr("Token"), tr("Depth")}.at(section);
    section -= LeadingColumns;
    if (section < RecursionColumns * recursions_) {
        const QStringList kinds{tr("Recursion %1"), tr("Score %1"), tr("Gate %1")};
        return kinds.at(section % RecursionColumns).arg(section / RecursionColumns + 1);
    }
    return QStringList{tr("KV used (bytes)"), tr("FLOPs"), tr("Log-probability")}.at(section -
                                                                                     RecursionColumns * recursions_);
}

}  // namespace mor::ui
