// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/controls/device_chooser.hpp"

#include <QLocale>
#include <QMenu>

namespace mor::ui {

namespace {

constexpr int kNoteColumns = 90;  ///< characters of a reason in the menu; the tooltip has all of it

QString bytesText(std::int64_t bytes) { return QLocale::c().formattedDataSize(bytes, 1); }

QString shortened(const QString& text) {
    return text.size() <= kNoteColumns ? text : text.left(kNoteColumns - 1) + QChar(0x2026);
}

}  // namespace

QString deviceTitle(const mor::Device& d) {
    QString title =
        (d.id == "cpu" ? DeviceChooser::tr("CPU: %1") : DeviceChooser::tr("CUDA: %1")).arg(QString::fromStdString(d.name));
    title += DeviceChooser::tr(" · %1, %2 free").arg(bytesText(d.memory), bytesText(d.free_memory));
    if (!d.capability.empty())
        title += DeviceChooser::tr(" · compute capability %1").arg(QString::fromStdString(d.capability));
    return title;
}

DeviceChooser::DeviceChooser(List list, QWidget* parent) : QToolButton(parent), list_(std::move(list)) {
    setObjectName(QStringLiteral("deviceChooser"));
    setAccessibleName(tr("Device"));
    setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(this);
    menu->setToolTipsVisible(true);
    connect(menu, &QMenu::aboutToShow, this, &DeviceChooser::fillMenu);
    setMenu(menu);
    showDevice({}, {});
}

void DeviceChooser::setChoice(const QString& id) { choice_ = id; }

void DeviceChooser::showDevice(const QString& device, const QString& note) {
    note_ = note;
    setText(device.isEmpty() ? tr("Device") : device);
    setToolTip(note.isEmpty() ? tr("What computes. Click to choose another device.") : note);
}

QAction* DeviceChooser::addEntry(const QString& id, const QString& title, const QString& explanation) {
    QAction* entry = menu()->addAction(QString(title).replace('&', QStringLiteral("&&")));
    entry->setData(id);
    entry->setCheckable(true);
    entry->setChecked(id == choice_);
    entry->setToolTip(explanation);
    connect(entry, &QAction::triggered, this, [this, id] {
        if (id == choice_) return;
        choice_ = id;
        emit chosen(id);
    });
    return entry;
}

void DeviceChooser::fillMenu() {
    menu()->clear();
    addEntry(QStringLiteral("auto"), tr("Automatic"), tr("A GPU that can be used, else the CPU"));
    bool first = true;  // of the CUDA devices: the one that is used
    for (const mor::Device& d : list_()) {
        const QString id = QString::fromStdString(d.id);
        if (!d.problem.empty()) {
            const QString problem = QString::fromStdString(d.problem);
            addEntry(id, shortened(problem), problem)->setEnabled(false);
            continue;
        }
        QAction* entry = addEntry(id, deviceTitle(d), tr("Loads the model again and computes there"));
        if (d.id == "cpu") continue;
        if (!std::exchange(first, false)) {
            entry->setEnabled(false);
            entry->setChecked(false);
            entry->setToolTip(tr("The first device is used; CUDA_VISIBLE_DEVICES chooses which one that is"));
        }
    }
    if (note_.isEmpty()) return;
    menu()->addSeparator();
    QAction* note = menu()->addAction(shortened(note_));
    note->setEnabled(false);
    note->setToolTip(note_);
}

}  // namespace mor::ui
