// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidgetAction>

#include "mor/model.hpp"

class QMenu;

namespace mor::ui {

/// One model in the chooser's menu: name and kind, and below them what there is to see. Its data is the directory.
class ModelEntry : public QWidgetAction {
    Q_OBJECT

public:
    ModelEntry(const mor::ModelCard&, QMenu*);

    const QString& kind() const { return kind_; }  ///< "expert choice, 3 recursions, KV sharing"

private:
    QString kind_;
};

}  // namespace mor::ui
