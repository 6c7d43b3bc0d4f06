// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <map>
#include <optional>

#include "mor/model.hpp"
#include "mor/settings.hpp"

class QComboBox;
class QLineEdit;
class QSpinBox;

namespace mor::ui {

/// Departures from what the checkpoint was trained for. They belong to the model at hand and are not remembered.
struct WhatIf {
    mor::RoutingHead head = mor::RoutingHead::Model;
    std::optional<int> fixedDepth;
    std::map<int, int> forcedDepth;
    std::optional<mor::KvPolicy> kvPolicy;  ///< unset: the model's own
};

/// "3=1, 7=2": position = depth. Nothing when the text is anything else.
std::optional<std::map<int, int>> parseForcedDepths(const QString& text, int leastDepth, int mostDepth);

/// The controls for them; those that the model cannot follow are disabled and say why.
class WhatIfControls : public QWidget {
    Q_OBJECT

public:
    explicit WhatIfControls(QWidget* parent = nullptr);

    void setModel(const mor::ModelInfo&);  ///< back to the model's own ways
    WhatIf settings() const;
    bool isValid() const;     ///< false while the forced depths cannot be read
    QString summary() const;  ///< "depth 2  KV sharing", empty when nothing is changed

    QSpinBox* depth() const { return depth_; }
    QLineEdit* forced() const { return forced_; }
    QComboBox* kvPolicy() const { return kvPolicy_; }

signals:
    void changed();

private:
    int leastDepth() const { return config_.routing == mor::Routing::TokenChoice ? 1 : 0; }
    void allow(QWidget*, bool possible, const QString& tip, const QString& reason);

    mor::MorConfig config_;
    QComboBox* head_;
    QSpinBox* depth_;
    QLineEdit* forced_;
    QComboBox* kvPolicy_;
};

}  // namespace mor::ui
