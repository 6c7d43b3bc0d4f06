// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/window/autosave.hpp"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>

namespace mor::ui {
namespace {

constexpr int kMostWindows = 16;

}  // namespace

Autosave::Autosave(const QString& folder) {
    if (folder.isEmpty() || !QDir().mkpath(folder)) return;
    for (int window = 1; window <= kMostWindows; ++window)
        if (take(QDir(folder).filePath(window == 1 ? QStringLiteral("last-run")
                                                   : QStringLiteral("last-run-%1").arg(window))))
            return;
}

QString Autosave::defaultFolder() {
    const auto data = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    return data.isEmpty() ? QString() : data + QStringLiteral("/traces");
}

bool Autosave::take(const QString& base) {
    const bool wasHeld = QFile::exists(base + QStringLiteral(".lock"));
    auto lock = std::make_unique<QLockFile>(base + QStringLiteral(".lock"));
    lock->setStaleLockTime(0);  // age says nothing: only whether its process lives
    if (!lock->tryLock(0)) return false;
    lock_ = std::move(lock);
    file_ = base + QStringLiteral(".mortrace");
    if (wasHeld && QFileInfo(file_).size() > 0) {
        const auto aside =
            QStringLiteral("%1/recovered-%2.mortrace")
                .arg(QFileInfo(file_).path(), QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss-zzz")));
        if (QFile::rename(file_, aside)) recovered_ = aside;
    }
    return true;
}

std::filesystem::path Autosave::file() const { return QFile::encodeName(file_).toStdString(); }

}  // namespace mor::ui
