// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAction>
#include <QActionGroup>
#include <QIcon>
#include <optional>
#include <utility>

#include "views/kit/theme.hpp"

class QWidget;

namespace mor::ui {

/// Everything the window can do, each with a shortcut and a tooltip that names it. The actions belong to `window`.
struct Actions {
    explicit Actions(QWidget* window);

    /// Colours of the symbols.
    void setTheme(const Theme&);
    /// The pause action says what it would do.
    void setPaused(bool paused, bool computing);
    /// So does the stop action: it ends a run, or the load of a model.
    void setStops(bool loading);

    QAction* generate;
    QAction* pause;
    QAction* nextToken;
    QAction* nextRecursion;
    QAction* stop;
    QAction* previousToken;
    QAction* previousRecursion;
    QAction* toBegin;
    QAction* toEnd;
    QAction* nextMatch;
    QAction* previousMatch;
    QAction* openTrace;
    QAction* openModel;
    QAction* saveTrace;
    QAction* savePicture;
    QAction* showTable;
    QAction* aboutRun;
    QAction* editPrompt;
    QAction* zoomIn;
    QAction* zoomOut;
    QAction* zoomFit;
    QAction* compareRules;
    QAction* compareModels;
    QAction* enlarge;
    QAction* back;
    QAction* presentation;
    QAction* fullScreen;
    QAction* shortcuts;
    QAction* menu;
    QAction* quit;
    QActionGroup* appearance;  ///< in the order of AppearanceChoice
    QActionGroup* colourMap;   ///< in the order of ColourMap
    QActionGroup* colourBy;    ///< in the order of ColourBy

private:
    QIcon rest_, goOn_;  ///< of `pause`
    bool paused_ = false;
    std::optional<std::pair<bool, bool>> shown_;  ///< paused and computing, as setPaused() was told last
};

}  // namespace mor::ui
