// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include "include_rules.hpp"

namespace {

const std::filesystem::path kRoot = MOR_SOURCE_DIR;
const std::vector<std::string> kSources = {".hpp", ".cpp", ".inl", ".h", ".cu", ".cuh"};
const std::vector<std::string> kAllText = {".hpp", ".cpp", ".inl",  ".cu",    ".cuh", ".py",
                                           ".sh",  ".md",  ".toml", ".cmake", ".txt", "CMakeLists.txt"};

/// Whether a file of this folder may carry this licence line: the window is GPL because of Qt Charts, its tests may
/// be either, everything else is Apache.
bool licensed(const std::string& path, const QByteArray& line) {
    using include_rules::below;
    const bool apache = line.contains("SPDX-License-Identifier: Apache-2.0");
    const bool gpl = line.contains("SPDX-License-Identifier: GPL-3.0-or-later");
    if (below(path, "tests/ui")) return apache || gpl;
    return below(path, "ui") || below(path, "app/gui") ? gpl : apache;
}

/// The first line, or the second where the first one names an interpreter.
QByteArray licence_line(const std::string& path) {
    const QList<QByteArray> lines = QByteArray::fromStdString(include_rules::read(kRoot / path)).split('\n');
    return lines.size() > 1 && lines[0].startsWith("#!") ? lines[1] : lines[0];
}

QString joined(const std::vector<std::string>& sentences) {
    QStringList list;
    for (const std::string& sentence : sentences) list << QString::fromStdString(sentence);
    return list.join('\n');
}

}  // namespace

class TestArrows : public QObject {
    Q_OBJECT

private slots:
    void includes_follow_the_arrows_data();
    void includes_follow_the_arrows();
    void public_headers_use_the_standard_library_only();
    void command_line_knows_no_qt();
    void planted_violations_are_found_data();
    void planted_violations_are_found();
    void licence_lines_data();
    void licence_lines();
};

void TestArrows::includes_follow_the_arrows_data() {
    QTest::addColumn<QString>("folder");
    for (const auto& room : include_rules::rooms())
        if (std::filesystem::is_directory(kRoot / room.folder))
            QTest::newRow(room.folder.c_str()) << QString::fromStdString(room.folder);
}

void TestArrows::includes_follow_the_arrows() {
    QFETCH(QString, folder);
    std::vector<std::string> found;
    int files = 0;
    for (const std::string& file : include_rules::files_below(kRoot, folder.toStdString(), kSources)) {
        ++files;
        const auto here = include_rules::violations(kRoot, file, include_rules::read(kRoot / file));
        found.insert(found.end(), here.begin(), here.end());
    }
    QVERIFY2(files > 0, "a room without sources");
    QVERIFY2(found.empty(), qPrintable(joined(found)));
}

void TestArrows::public_headers_use_the_standard_library_only() {
    const auto headers = include_rules::files_below(kRoot, "engine/include", kSources);
    QVERIFY(headers.size() >= 10);
    for (const std::string& file : headers)
        for (const auto& include : include_rules::includes_of(include_rules::read(kRoot / file))) {
            const bool own = include_rules::project_file(kRoot, file, include).has_value();
            QVERIFY2(own || include_rules::library_of(include.name).empty(), (file + ": " + include.name).c_str());
        }
}

/// Follows the includes of the command line's sources, and the source files beside the headers found.
void TestArrows::command_line_knows_no_qt() {
    std::vector<std::string> open = include_rules::files_below(kRoot, "app/cli", kSources);
    QVERIFY(!open.empty());
    std::vector<std::string> seen;
    while (!open.empty()) {
        const std::string file = open.back();
        open.pop_back();
        if (std::find(seen.begin(), seen.end(), file) != seen.end()) continue;
        seen.push_back(file);
        for (const auto& include : include_rules::includes_of(include_rules::read(kRoot / file))) {
            QVERIFY2(include_rules::library_of(include.name) != "Qt", (file + " includes " + include.name).c_str());
            const auto target = include_rules::project_file(kRoot, file, include);
            if (!target) continue;
            open.push_back(*target);
            const auto source = std::filesystem::path(*target).replace_extension(".cpp").generic_string();
            if (std::filesystem::exists(kRoot / source)) open.push_back(source);
        }
    }
    QVERIFY(std::find(seen.begin(), seen.end(), "engine/include/mor/session.hpp") != seen.end());
}

void TestArrows::planted_violations_are_found_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("expected");  // part of the sentence; empty: no violation
    const auto row = [](const char* file, const char* line, const char* expected) {
        QTest::addRow("%s %s", file, line) << QString(file) << QString(line) << QString(expected);
    };
    row("engine/include/mor/x.hpp", "#include <QString>", "must not use Qt");
    row("engine/include/mor/x.hpp", "#include <nlohmann/json.hpp>", "must not use JSON");
    row("engine/include/mor/x.hpp", "#include <cuda_runtime.h>", "must not use CUDA");
    row("engine/include/mor/x.hpp", "#include \"tensor/tensor_view.hpp\"", "must not know engine/tensor");
    row("engine/include/mor/x.hpp", "#include <vector>", "");
    row("engine/tensor/x.hpp", "#include \"io/json.hpp\"", "must not know engine/io");
    row("engine/io/x.cpp", "#include \"model/plan.hpp\"", "must not know engine/model");
    row("engine/backend/cpu/x.cpp", "#include \"model/plan.hpp\"", "must not know engine/model");
    row("engine/backend/cpu/x.cpp", "#include <cublas_v2.h>", "must not use CUDA");
    row("engine/backend/x.hpp", "#include \"backend/cpu/kernels.hpp\"", "must not know engine/backend/cpu");
    row("engine/model/x.cpp", "#include \"run/forward.hpp\"", "must not know engine/run");
    row("engine/model/x.cpp", "#include \"../run/forward.hpp\"", "must not know engine/run");
    row("engine/model/x.cpp", "#include \"backend/cpu/kernels.hpp\"", "must not know engine/backend/cpu");
    row("engine/run/x.cpp", "  #  include \"backend/backend.hpp\"", "");
    row("engine/run/x.cpp", "#include \"no/such.hpp\"", "an unknown library");
    row("ui/models/x.cpp", "#include \"feed/feed.hpp\"", "must not know ui/feed");
    row("ui/feed/x.cpp", "#include \"models/trace_model.hpp\"", "must not know ui/models");
    row("ui/models/x.cpp", "#include \"views/kit/theme.hpp\"", "must not know ui/views");
    row("ui/views/heatmap/x.cpp", "#include \"feed/feed.hpp\"", "must not know ui/feed");
    row("ui/views/heatmap/x.cpp", "#include \"model/plan.hpp\"", "must not know engine/model");
    row("ui/views/heatmap/x.cpp", "#include \"models/trace_model.hpp\"", "");
    row("ui/views/heatmap/x.cpp", "#include \"views/routing/routing_view.hpp\"", "must not know ui/views/routing");
    row("ui/views/kit/x.cpp", "#include \"views/heatmap/heatmap_painter.hpp\"", "must not know ui/views/heatmap");
    row("app/gui/controls/x.cpp", "#include \"gui/window/main_window.hpp\"", "must not know app/gui/window");
    row("engine/trace/x.cpp", "#include \"run/forward.hpp\"", "must not know engine/run");
    row("app/cli/x.cpp", "#include <QCoreApplication>", "must not use Qt");
    row("app/cli/x.cpp", "#include \"run/forward.hpp\"", "must not know engine/run");
    row("elsewhere/x.cpp", "#include <vector>", "is in no room");
}

void TestArrows::planted_violations_are_found() {
    QFETCH(QString, file);
    QFETCH(QString, line);
    QFETCH(QString, expected);
    const std::string text = "// a file\n" + line.toStdString() + "\nint x;\n";
    const auto found = include_rules::violations(kRoot, file.toStdString(), text);
    if (expected.isEmpty()) {
        QVERIFY2(found.empty(), qPrintable(joined(found)));
    } else {
        QCOMPARE(found.size(), std::size_t{1});
        QVERIFY2(joined(found).contains(expected), qPrintable(joined(found)));
    }
}

void TestArrows::licence_lines_data() {
    QTest::addColumn<QString>("folder");
    for (const char* folder : {"engine", "ui", "app", "cmake", "packaging", "resources", "tests"})
        QTest::newRow(folder) << QString(folder);
}

void TestArrows::licence_lines() {
    QFETCH(QString, folder);
    QStringList wrong;
    const auto files = include_rules::files_below(kRoot, folder.toStdString(), kAllText);
    QVERIFY(!files.empty());
    for (const std::string& file : files) {
        if (include_rules::below(file, "tests/data")) continue;
        if (!licensed(file, licence_line(file)))
            wrong << QString::fromStdString(file) + ": its first line names no or another licence";
    }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
}

QTEST_GUILESS_MAIN(TestArrows)
#include "tst_arrows.moc"
