// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <filesystem>

/// The held-out excerpt, and what the trainer measured on it with the exported weights of some bundled models.
namespace mor::testing {

inline constexpr double kHeldoutTolerance = 0.005;  ///< relative, of every figure

/// A file of tests/data/heldout.
inline QByteArray heldout(const char* name) {
    QFile file(QString(MOR_TEST_DATA) + "/heldout/" + name);
    if (!file.open(QIODevice::ReadOnly)) qFatal("%s is missing", name);
    return file.readAll();
}

/// Model -> selection rule -> figures.
inline QJsonObject trainers_figures() { return QJsonDocument::fromJson(heldout("expected.json")).object(); }

inline std::filesystem::path bundled_model(const QString& name) {
    return std::filesystem::path(MOR_MODELS_DIR) / name.toStdString();
}

}  // namespace mor::testing
