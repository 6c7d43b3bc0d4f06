// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <array>

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

protected:
    void resizeEvent(QResizeEvent*) override;
    bool event(QEvent*) override;

private:
    QToolButton* buttonFor(QAction*, const QString& name);
    void measureSteps();
    void fit();

    DeviceChooser* device_;
    std::array<QToolButton*, 2> steps_{};  ///< whose texts give way where the row is too long
    int wideSteps_ = 0;                    ///< pixels that they need with texts
    QToolButton* menu_;
    QProgressBar* busy_;
};

}  // namespace mor::ui
