// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures and pages from the command line, and what it refuses.
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QXmlStreamReader>

#include "gui/export/export_html.hpp"
#include "ui/opened_window.hpp"
#include "ui/synthetic_trace.hpp"
#include "views/kit/geometry.hpp"

using namespace mor::test;

namespace {

struct ProcessResult {
    int code;
    QByteArray out, err;
};

ProcessResult morscope(const QStringList& arguments) {
    QProcess process;
    process.start(QStringLiteral(MOR_GUI_APP), arguments);
    if (!process.waitForFinished(kPatience)) process.kill();
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2, process.readAllStandardOutput(),
            process.readAllStandardError()};
}

}  // namespace

class PicturesTest : public QObject {
    Q_OBJECT

private slots:
    void screenshots();
    void exports_data();
    void exports();
    void pagesHoldNoForeignMarkup();
    void pagesHoldEverything();
    void refusesArguments_data();
    void refusesArguments();
};

void PicturesTest::screenshots() {
    QTemporaryDir folder;
    const QString file = folder.filePath("shot.png");
    const auto shot = morscope({"--screenshot", file, "--model", kTrained, "--prompt", "The king", "--max-tokens", "6"});
    QVERIFY2(shot.code == 0, shot.err);
    QCOMPARE(QImage(file).size(), QSize(1280, 800));
    const auto dark = morscope({kModel, "--screenshot", file, "--dark", "--size", "900x700", "--view", "heatmap"});
    QVERIFY2(dark.code == 0, dark.err);
    const QImage image(file);
    QCOMPARE(image.size(), QSize(900, 700));
    QCOMPARE(image.pixelColor(2, 2), frameOf(Appearance::Dark).ground);
    const auto bad = morscope({"--screenshot", file, "--model", folder.path()});
    QCOMPARE(bad.code, 1);
    QVERIFY2(bad.err.contains(folder.path().toUtf8()), bad.err);
    const auto nowhere = morscope({"--screenshot", "/nonexistent/x.png", "--model", kModel, "--max-tokens", "1"});
    QCOMPARE(nowhere.code, 1);
    QVERIFY2(nowhere.err.contains("/nonexistent/x.png"), nowhere.err);
    const auto empty = morscope({"--screenshot", file, "--model", kTrained, "--prompt", ""});
    QCOMPARE(empty.code, 1);
    QVERIFY2(empty.err.contains("prompt is empty"), empty.err);
}

void PicturesTest::exports_data() {
    QTest::addColumn<QString>("suffix");
    QTest::addColumn<QByteArray>("begins");
    QTest::newRow("png") << "png" << QByteArray("\x89PNG");
    QTest::newRow("pdf") << "pdf" << QByteArray("%PDF-");
    QTest::newRow("svg") << "svg" << QByteArray("<?xml");
    QTest::newRow("html") << "html" << QByteArray("<!DOCTYPE html>");
}

void PicturesTest::exports() {
    QFETCH(QString, suffix);
    QFETCH(QByteArray, begins);
    QTemporaryDir folder;
    const QString trace = recordedRun(folder);
    const QString out = folder.filePath("picture." + suffix);
    const auto result = morscope({"--export", out, trace, "--size", "1440x900"});
    QVERIFY2(result.code == 0, result.err);
    QFile file(out);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray content = file.readAll();
    QVERIFY(content.startsWith(begins));
    QVERIFY(content.size() > 4000);
    if (suffix == "png") QCOMPARE(QImage(out).size(), QSize(1440, 900));
    if (suffix == "svg" || suffix == "html") QVERIFY(content.contains("Depth heatmap"));
}

/// Names, prompts and tokens come from files that anybody may have made.
void PicturesTest::pagesHoldNoForeignMarkup() {
    mor::Trace trace = syntheticTrace({});
    const std::string bad = "<script>alert(\"1\")</script> & \x01\xc3\x28";
    trace.header.model_name = trace.header.prompt = bad;
    trace.tokens[3].text = trace.tokens[3].label = bad;
    trace.tokens[4].top = {{.token = 1, .label = bad, .logprob = -1}};
    Opened o({});
    o.window->player().load(std::move(trace));
    for (const QString& view : QStringList{{}, "text", "heatmap", "kv"}) {
        const QByteArray html = htmlOf(*o.window->page(), {1280, 800}, view);
        QVERIFY(!html.contains("<script") && !html.contains('\x01'));
        QVERIFY(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; "));
        QXmlStreamReader reader(html);  // well-formed, so nothing is torn open
        while (!reader.atEnd()) reader.readNext();
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
    }
}

void PicturesTest::pagesHoldEverything() {
    QTemporaryDir folder;
    Opened o({});
    o.window->openTrace(recordedRun(folder));
    const double width = o.window->page()->heatmap()->columnWidth();
    const QString html = QString::fromUtf8(htmlOf(*o.window->page(), {1280, 800}));
    QCOMPARE(o.window->page()->heatmap()->columnWidth(), width);
    QCOMPARE(html.count("<tr>"), 15);
    QCOMPARE(html.count("data:image/png;base64,"), 7);  // all views, five by themselves, the KV cache twice
    QCOMPARE(html.count("<sub>"), 14);
    QCOMPARE(html.count("alt=\"\""), 0);
    QVERIFY(html.contains("<dt>Sampling</dt>"));
    QVERIFY(!html.contains("http://") && !html.contains("https://"));
    const auto& first = o.window->trace().token(0);
    QVERIFY(html.contains(QString("<td>%1</td>").arg(scoreText(first.recursions[0].score))));
}

void PicturesTest::refusesArguments_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("part");
    QTest::newRow("unknown option") << QStringList{"--frobnicate"} << 2 << "--frobnicate";
    QTest::newRow("not a png") << QStringList{"--screenshot", "x.jpg"} << 2 << ".png";
    QTest::newRow("no format") << QStringList{"--export", "x", "y"} << 2 << ".svg";
    QTest::newRow("no trace") << QStringList{"--export", "x.png"} << 2 << "TRACE";
    QTest::newRow("size") << QStringList{"--screenshot", "x.png", "--size", "huge"} << 2 << "WxH";
    QTest::newRow("too large") << QStringList{"--screenshot", "x.png", "--size", "99999x10"} << 2 << "--size width";
    QTest::newRow("view") << QStringList{"--screenshot", "x.png", "--view", "moon"} << 2 << "heatmap";
    QTest::newRow("stray prompt") << QStringList{"--prompt", "x"} << 2 << "--screenshot";
    QTest::newRow("two models") << QStringList{kModel, kTrained} << 2 << "one model";
    QTest::newRow("two models of a screenshot")
        << QStringList{kModel, "--model", kTrained, "--screenshot", "x.png"} << 2 << "one model";
    QTest::newRow("screenshot of a trace") << QStringList{"run.mortrace", "--screenshot", "x.png"} << 2 << "--export";
    QTest::newRow("missing trace") << QStringList{"--export", "x.png", "/nonexistent.mortrace"} << 1
                                   << "/nonexistent.mortrace";
}

void PicturesTest::refusesArguments() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, part);
    const auto result = morscope(arguments);
    QVERIFY2(result.code == code, result.err);
    QVERIFY2(result.err.contains("morscope: ") && result.err.contains(part.toUtf8()), result.err);
}

QTEST_MAIN(PicturesTest)
#include "tst_pictures.moc"
