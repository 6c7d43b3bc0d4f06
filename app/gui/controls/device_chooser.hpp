// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QToolButton>
#include <functional>
#include <vector>

#include "mor/devices.hpp"

namespace mor::ui {

/// The button that names what computes and offers the devices of this machine; those that cannot be used say why.
class DeviceChooser : public QToolButton {
    Q_OBJECT

public:
    using List = std::function<std::vector<mor::Device>()>;

    /// `list` is called each time the menu opens: looking for a GPU takes some tenths of a second, and its free memory
    /// changes.
    explicit DeviceChooser(List list = &mor::list_devices, QWidget* parent = nullptr);

    /// Which entry is ticked: "auto", "cpu" or "cuda".
    void setChoice(const QString& id);
    QString choice() const { return choice_; }

    /// What computes, and why it is not what could be expected; the note may be empty.
    void showDevice(const QString& device, const QString& note);

signals:
    void chosen(const QString& id);

private:
    void fillMenu();
    QAction* addEntry(const QString& id, const QString& title, const QString& explanation);

    List list_;
    QString choice_ = QStringLiteral("auto");
    QString note_;
};

/// "NVIDIA H100 PCIe · 79.1 GiB, 78.5 GiB free · compute capability 9.0"
QString deviceTitle(const mor::Device&);

}  // namespace mor::ui
