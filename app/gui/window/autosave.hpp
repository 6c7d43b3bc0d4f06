// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLockFile>
#include <QString>
#include <filesystem>
#include <memory>

namespace mor::ui {

/// Where this process records its runs, and what a process that died left behind.
///
/// Every window has a file of its own, held by a lock that a crash leaves stale. Whoever takes a stale lock puts the
/// recording aside under a name with the date, so that nothing overwrites it.
class Autosave {
public:
    explicit Autosave(const QString& folder = defaultFolder());

    static QString defaultFolder();  ///< empty where the system has none

    std::filesystem::path file() const;                      ///< empty: nothing can be recorded
    const QString& recovered() const { return recovered_; }  ///< a trace to show; empty after an orderly end

private:
    bool take(const QString& base);

    std::unique_ptr<QLockFile> lock_;
    QString file_;
    QString recovered_;
};

}  // namespace mor::ui
