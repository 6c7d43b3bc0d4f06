// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>
#include <vector>

/// What tests need to use morscope-cli as a script does.
namespace mor::test {

inline const QString kReference = QStringLiteral(MOR_TEST_DATA "/reference/");
inline const QString kModel = kReference + "mor_expert_mc";
inline const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
inline constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

struct Result {
    int code = -1;
    QByteArray out;
    QByteArray err;
};

inline Result run(const QStringList& arguments,
                  const QProcessEnvironment& environment = QProcessEnvironment::systemEnvironment()) {
    QProcess process;
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(MOR_CLI), arguments);
    process.closeWriteChannel();
    if (!process.waitForFinished(kPatience)) {
        process.kill();
        process.waitForFinished();
        return {};
    }
    const int code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2;
    return {code, process.readAllStandardOutput(), process.readAllStandardError()};
}

inline QList<QJsonObject> jsonLines(const QByteArray& text) {
    QList<QJsonObject> objects;
    for (const QByteArray& line : text.trimmed().split('\n')) objects.append(QJsonDocument::fromJson(line).object());
    return objects;
}

inline QString joined(const std::vector<int>& ids) {
    QStringList words;
    for (int id : ids) words.append(QString::number(id));
    return words.join(',');
}

/// Exactly one line on standard error, from the program itself.
inline void verifySentence(const Result& result, const QString& part) {
    const QString sentence = QString::fromUtf8(result.err);
    QVERIFY2(sentence.startsWith("morscope-cli: ") && sentence.count('\n') == 1, result.err);
    QVERIFY2(sentence.contains(part), result.err);
    QVERIFY2(result.out.isEmpty(), result.out);
}

}  // namespace mor::test
