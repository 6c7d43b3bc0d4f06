// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QKeySequence>
#include <QSizeF>
#include <QString>
#include <QStringList>
#include <functional>
#include <vector>

#include "views/kit/theme.hpp"

class QWidget;

namespace mor::ui {

class RuleOverlay;
class Selection;
class ThresholdEstimate;
class TraceModel;
class TracePage;

/// What the views of a page are made from.
struct ViewSources {
    TraceModel* model;
    Selection* selection;
    ThresholdEstimate* estimate;
    RuleOverlay* overlay;
};

/// A picture of a view in a document that shows one after the other.
struct Figure {
    QString caption;
    const Picture* picture;
    QSizeF size;  ///< at least, before scaling
};

/// A view that was made, and what stands around it.
struct MadeView {
    QWidget* widget = nullptr;
    Picture* picture = nullptr;
    QWidget* corner = nullptr;         ///< at the right end of the title line; one that is a Picture is in exports too
    std::function<QString()> caption;  ///< what colours and numbers mean now
    std::function<QString()> title;    ///< none: that of the description
    std::function<std::vector<Figure>()> figures;
};

/// Which numbers of the run's table a view draws.
enum TableColumns : unsigned {
    kTokenColumns = 0,  ///< position, token and depth: in every table
    kRoutingColumns = 1,
    kMemoryColumns = 2,
    kComputeColumns = 4,
    kProbabilityColumns = 8,
};

/// Everything the window knows about a view. A view is on the page, in menus, exports and options because it has a row
/// here.
struct ViewDescription {
    QString name;           ///< on the command line
    const char* title;      ///< TracePage::tr() translates it
    QKeySequence shortcut;  ///< this view alone
    QString row;            ///< of the page, by name; rows follow each other as they come
    int share;              ///< of the row's width, in percent
    unsigned table;         ///< TableColumns of its twin, the table
    std::function<MadeView(const ViewSources&, TracePage&)> make;
};

/// In reading order.
const std::vector<ViewDescription>& viewDescriptions();

QStringList viewNames();

/// Columns of the run's table that show what this view draws; of all views, all of them.
std::vector<int> tableColumns(const TraceModel&, const QString& view = {});

}  // namespace mor::ui
