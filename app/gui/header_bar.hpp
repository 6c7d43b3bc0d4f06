// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QMenu;
class QProgressBar;
class QToolButton;

namespace mor::ui {

struct Actions;
class DeviceChooser;
class ModelChooser;
class RunControls;

/// The row of controls at the top: model, run, sampling, device, menu; and a thin bar below during long work.
class HeaderBar : public QFrame {
    Q_OBJECT

public:
    /// Takes ownership of the controls and of the menu.
    HeaderBar(const Actions&, ModelChooser*, RunControls*, QMenu*, QWidget* parent = nullptr);

    DeviceChooser* device() const { return device_; }
    void setDevice(const QString& device, const QString& note);
    void setBusy(bool);              ///< something goes on, nobody knows how long
    void setProgress(double share);  ///< how much of it is done

private:
    QToolButton* buttonFor(QAction*, const QString& name);

    DeviceChooser* device_;
    QToolButton* menu_;
    QProgressBar* busy_;
};

}  // namespace mor::ui
