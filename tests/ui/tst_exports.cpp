// SPDX-License-Identifier: GPL-3.0-or-later
// Exports are complete: every token, whatever the run's length, what it was made with, and a command that makes it again.
#include <QBuffer>
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QRegularExpression>
#include <set>

#include "gui/export/export.hpp"
#include "gui/export/export_html.hpp"
#include "gui/export/run_sheet.hpp"
#include "gui/export/run_text.hpp"
#include "run_command.hpp"
#include "ui/opened_window.hpp"
#include "ui/stage.hpp"
#include "views/kit/token_name.hpp"

using namespace mor::test;

namespace {

/// Every token has a name of its own, so that it can be counted.
mor::Trace namedTrace(int tokens) {
    auto trace = syntheticTrace({.tokens = tokens, .prompt = std::min(tokens, 11)});
    for (auto& token : trace.tokens) {
        token.text = " w" + std::to_string(token.position) + "e";
        token.label = "n" + std::to_string(token.position) + "e";
        token.top.clear();
    }
    trace.header.model_name = "A model of many words";
    trace.header.prompt = "The quick brown fox, \"quoted\" & it's <marked>";
    trace.header.sampling = {.temperature = 0.7f, .top_k = 40, .top_p = 0.9f, .seed = 99};
    return trace;
}

struct Page {
    TraceModel model;
    Selection selection{&model};
    TracePage page{&model, &selection};
    explicit Page(mor::Trace trace, const QSize& size = {1280, 640}) {
        page.resize(size);
        page.show();
        model.load(std::move(trace));
        QCoreApplication::processEvents();
        page.finishDrawing();
    }
    QByteArray exported(const QString& suffix, const QSize& size = {1280, 800}, const QString& view = {}) {
        QTemporaryDir folder;
        const QString file = folder.filePath("run." + suffix);
        const QString problem = exportPicture(page, file, size, 1, view);
        QFile in(file);
        return problem.isEmpty() && in.open(QIODevice::ReadOnly) ? in.readAll() : problem.toUtf8();
    }
};

QString unspaced(QString text) { return text.remove(QRegularExpression(QStringLiteral("\\s"))); }

/// The words of a PDF need its fonts to be read; its page says how high it is.
double heightOfPdf(const QByteArray& pdf) {
    const auto box =
        QRegularExpression(QStringLiteral("/MediaBox \\[\\s*0 0 ([0-9.]+) ([0-9.]+)")).match(QString::fromLatin1(pdf));
    return box.captured(2).toDouble();
}

}  // namespace

class ExportsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void sheetsHoldEveryToken_data();
    void sheetsHoldEveryToken();
    void sheetsSayWhatTheRunWasMadeWith();
    void sheetsHaveNoHints();
    void sheetsGrowAsFarAsTheyMust();
    void pixelsReachTheLastToken();
    void everyFormatIsWhole();
    void singleViewsAreWholeToo_data();
    void singleViewsAreWholeToo();
    void tablesAreOfTheirView();
    void shellWords_data();
    void shellWords();
    void commandsMakeTheRunAgain_data();
    void commandsMakeTheRunAgain();
    void emptyPagesCanBeSaved();
};

void ExportsTest::sheetsHoldEveryToken_data() {
    QTest::addColumn<int>("tokens");
    QTest::addColumn<QSize>("size");
    for (const int tokens : {1, 14, 68, 93, 500})
        for (const QSize size : {QSize(1440, 900), QSize(900, 600)})
            QTest::addRow("%d tokens, %d wide", tokens, size.width()) << tokens << size;
}

/// As a word in the text with its depth, and as a column with its name.
void ExportsTest::sheetsHoldEveryToken() {
    QFETCH(int, tokens);
    QFETCH(QSize, size);
    Page p(namedTrace(tokens));
    const auto texts = textsOfSvg(p.exported("svg", size));
    for (int token = 0; token < tokens; ++token) {
        QCOMPARE(texts.count(QStringLiteral("w%1e").arg(token)), 1);
        QCOMPARE(texts.count(QStringLiteral("n%1e").arg(token)), 1);
    }
}

void ExportsTest::sheetsSayWhatTheRunWasMadeWith() {
    Page p(namedTrace(93));
    const auto written = unspaced(textsOfSvg(p.exported("svg")).join(QString()));
    for (const auto& fact : runFacts(p.model.header()))
        QVERIFY2(written.contains(unspaced(fact.kind == RunFact::Model ? fact.value : fact.line())), qPrintable(fact.name));
    QVERIFY(written.contains(unspaced(commandOf(p.model.trace()))));
    const auto html = QString::fromUtf8(p.exported("html"));
    QVERIFY(html.contains(escaped(commandOf(p.model.trace()))));
    for (const auto& fact : runFacts(p.model.header())) QVERIFY2(html.contains(escaped(fact.value)), qPrintable(fact.name));
}

/// What one can do with the mouse is of no use on paper; on the screen it stands there.
void ExportsTest::sheetsHaveNoHints() {
    Page p(namedTrace(93), {1440, 800});
    const auto texts = textsOfSvg(p.exported("svg", {1440, 900})).join(' ');
    QVERIFY(texts.contains(QStringLiteral("scores")));  // the histograms are there
    QVERIFY(!texts.contains(QStringLiteral("drag")) && !texts.contains(QStringLiteral("press")));
    auto* routing = p.page.routing();
    const auto shown = grabbed(*routing);
    QImage drawn(routing->size(), QImage::Format_RGB32);
    drawn.fill(p.page.theme().frame().panel);
    QPainter painter(&drawn);
    routing->drawInto(painter, routing->rect());
    painter.end();
    QVERIFY(shown != drawn);
}

void ExportsTest::sheetsGrowAsFarAsTheyMust() {
    Page few(namedTrace(14)), many(namedTrace(500));
    QCOMPARE(RunSheet(few.page, {1440, 900}).size(), QSizeF(1440, 900));
    const auto tall = RunSheet(many.page, {1440, 900}).size();
    QCOMPARE(tall.width(), 1440.0);
    QVERIFY(tall.height() > 2000 && tall.height() < 6000);
    QCOMPARE(RunSheet(many.page, {1440, 9000}).size().height(), 9000.0);
}

/// The picture of a run without its last token is another picture, far down where that token stands.
void ExportsTest::pixelsReachTheLastToken() {
    auto trace = namedTrace(93);
    Page whole(trace);
    trace.tokens.back().depth = 3 - trace.tokens.back().depth;
    trace.tokens.back().recursions[0].score = 0.01f;
    trace.tokens.back().recursions[0].outcome = mor::Outcome::Leave;
    Page other(trace);
    for (const char* view : {"text", "heatmap"}) {
        const auto a = QImage::fromData(whole.exported("png", {1280, 400}, view));
        const auto b = QImage::fromData(other.exported("png", {1280, 400}, view));
        QVERIFY(!a.isNull());
        QCOMPARE(a.size(), b.size());
        int changed = 0;
        for (int y = a.height() / 2; y < a.height(); ++y)
            for (int x = 0; x < a.width(); ++x) changed += a.pixel(x, y) != b.pixel(x, y);
        QVERIFY2(changed > 100, view);
    }
}

void ExportsTest::everyFormatIsWhole() {
    Page p(namedTrace(500));
    const auto size = RunSheet(p.page, {1280, 800}).size();
    QCOMPARE(QImage::fromData(p.exported("png")).size(), size.toSize());
    QVERIFY(std::abs(heightOfPdf(p.exported("pdf")) - size.height() * 72 / 96) <= 1);
    const auto html = QString::fromUtf8(p.exported("html"));
    for (int token = 0; token < 500; ++token) QVERIFY(html.contains(QStringLiteral(">w%1e<sub>").arg(token)));
    const QRegularExpression images(QStringLiteral("<img width=\"(\\d+)\" height=\"(\\d+)\""));
    QList<int> heights;
    for (auto found = images.globalMatch(html); found.hasNext();) heights += found.next().captured(2).toInt();
    QCOMPARE(heights.first(), qRound(size.height()));
    QVERIFY(std::count_if(heights.begin(), heights.end(), [](int height) { return height > 1500; }) >= 2);
}

void ExportsTest::singleViewsAreWholeToo_data() {
    QTest::addColumn<QString>("view");
    for (const QString& view : viewNames()) QTest::newRow(qPrintable(view)) << view;
}

void ExportsTest::singleViewsAreWholeToo() {
    QFETCH(QString, view);
    Page p(namedTrace(500));
    const auto svg = textsOfSvg(p.exported("svg", {900, 700}, view));
    QVERIFY(!svg.filter(QStringLiteral("A model of many words")).isEmpty());
    const QString last = view == QStringLiteral("text") ? "w499e" : view == QStringLiteral("heatmap") ? "n499e" : "";
    QVERIFY(last.isEmpty() || svg.contains(last));
    for (const auto& other : p.page.views()) QCOMPARE(svg.contains(other.title), other.name() == view);
    const auto html = QString::fromUtf8(p.exported("html", {900, 700}, view));
    QCOMPARE(html.contains(QStringLiteral("class=\"text\"")), view == QStringLiteral("text"));
    QCOMPARE(html.count(QStringLiteral("<img ")), view == "text" ? 0 : view == "kv" ? 2 : 1);
}

void ExportsTest::tablesAreOfTheirView() {
    Page p(namedTrace(20));
    QCOMPARE(static_cast<int>(tableColumns(p.model).size()), p.model.columnCount());
    std::set<int> seen;
    for (const auto& view : p.page.views()) {
        const auto columns = tableColumns(p.model, view.name());
        QVERIFY(columns.size() >= 3 && columns[0] == TraceModel::Position);
        seen.insert(columns.begin(), columns.end());
        const auto html = QString::fromUtf8(p.exported("html", {900, 700}, view.name()));
        QCOMPARE(html.count(QStringLiteral("<th>")), static_cast<qsizetype>(columns.size()));
    }
    QCOMPARE(static_cast<int>(seen.size()), p.model.columnCount());  // every number is drawn somewhere
}

void ExportsTest::shellWords_data() {
    QTest::addColumn<QString>("text");
    for (const char* text : {"", "plain", "two words", "it's", "\"$HOME\" `ls` \\n", "line\nbreak\tand 'quote' \\ \x01",
                             "ünïcödé 😀", "a;b&c|d", "!bang", "*?[x]{y}~", "-x"})
        QTest::newRow(text) << QString::fromUtf8(text);
}

/// What bash makes of the word is the text.
void ExportsTest::shellWords() {
    QFETCH(QString, text);
    QProcess shell;
    shell.start(
        QStringLiteral("bash"),
        {QStringLiteral("-c"), QStringLiteral("printf %s ") + QString::fromStdString(mor::shell_word(text.toStdString()))});
    if (!shell.waitForStarted()) QSKIP("there is no bash");
    QVERIFY(shell.waitForFinished());
    QCOMPARE(QString::fromUtf8(shell.readAllStandardOutput()), text);
}

void ExportsTest::commandsMakeTheRunAgain_data() {
    QTest::addColumn<QStringList>("options");
    QTest::newRow("greedy") << QStringList{"--prompt", "The king said"};
    QTest::newRow("sampled") << QStringList{
        "--prompt", "It's \"here\"\n and", "--temperature", "0.73", "--top-k", "40", "--top-p", "0.95",
        "--seed",   "18446744073709551615"};
    QTest::newRow("ids") << QStringList{"--tokens", "5,9,300,7"};
    QTest::newRow("threshold") << QStringList{"--prompt", "And so", "--threshold", "0.37", "--force", "3=0,5=2"};
    QTest::newRow("top-k, depth, storage")
        << QStringList{"--prompt", "And so", "--routing", "topk", "--kv-policy", "sharing", "--kv-type", "bf16"};
    QTest::newRow("fixed depth") << QStringList{"--prompt", "And so", "--depth", "2"};
}

void ExportsTest::commandsMakeTheRunAgain() {
    QFETCH(QStringList, options);
    QTemporaryDir folder;
    const auto first = folder.filePath("first.mortrace"), second = folder.filePath("second.mortrace");
    const auto cli = QStringLiteral(MOR_CLI_APP);
    QProcess run;
    run.start(cli, QStringList{"generate", "prose-expert-r3", "--max-tokens", "12", "--trace", first} + options);
    QVERIFY(run.waitForFinished(kPatience));
    QVERIFY2(run.exitCode() == 0, run.readAllStandardError());
    const auto made = mor::read_trace(first.toStdString());
    auto command = QString::fromStdString(mor::run_command(made, mor::bundled_name(made.header)));
    QVERIFY2(command.startsWith(QStringLiteral("morscope-cli generate prose-expert-r3 ")), qPrintable(command));
    command.replace(0, int(strlen("morscope-cli")), cli);
    run.start(QStringLiteral("bash"), {QStringLiteral("-c"), command + " --trace " + second});
    if (!run.waitForStarted()) QSKIP("there is no bash");
    QVERIFY(run.waitForFinished(kPatience));
    QVERIFY2(run.exitCode() == 0, run.readAllStandardError());
    const auto again = mor::read_trace(second.toStdString());
    QCOMPARE(mor::to_json(again.header), mor::to_json(made.header));
    QCOMPARE(again.tokens.size(), made.tokens.size());
    for (std::size_t i = 0; i < made.tokens.size(); ++i) {
        QCOMPARE(again.tokens[i].token, made.tokens[i].token);
        QCOMPARE(again.tokens[i].depth, made.tokens[i].depth);
        QCOMPARE(again.tokens[i].kv.used, made.tokens[i].kv.used);
    }
}

void ExportsTest::emptyPagesCanBeSaved() {
    Page p(namedTrace(5));
    p.model.clear();
    for (const char* format : {"png", "svg", "pdf", "html"}) QVERIFY(p.exported(format).size() > 500);
}

QTEST_MAIN(ExportsTest)
#include "tst_exports.moc"
