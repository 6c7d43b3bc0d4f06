// SPDX-License-Identifier: Apache-2.0
// morscope-cli where things go wrong: its help, its sentences and exit codes, a full disk, Ctrl+C.
#include <QTemporaryDir>
#include <csignal>

#include "engine/cli_runner.hpp"

using namespace mor::test;

class CliErrorsTest : public QObject {
    Q_OBJECT

private slots:
    void helps_data();
    void helps();
    void refusesUsage_data();
    void refusesUsage();
    void refusesRuns_data();
    void refusesRuns();
    void refusesModels_data();
    void refusesModels();
    void reportsAFullDisk();
    void stopsOnInterrupt();

private:
    QTemporaryDir folder_;
};

void CliErrorsTest::helps_data() {
    QTest::addColumn<QString>("command");
    QTest::addColumn<QString>("part");
    QTest::newRow("generate") << "generate"
                              << "--top-p P";
    QTest::newRow("inspect") << "inspect"
                             << "--json";
    QTest::newRow("dump") << "dump"
                          << "--out FILE.safetensors";
    QTest::newRow("perplexity") << "perplexity"
                                << "--text FILE";
    QTest::newRow("replay") << "replay"
                            << "--csv";
    QTest::newRow("tokenize") << "tokenize"
                              << "--text T";
    QTest::newRow("models") << "models"
                            << "--json";
    QTest::newRow("bench") << "bench"
                           << "--batch B";
}

void CliErrorsTest::helps() {
    QFETCH(QString, command);
    QFETCH(QString, part);
    const Result result = run({command, "--help"});
    QCOMPARE(result.code, 0);
    QVERIFY(result.out.startsWith("Usage: morscope-cli " + command.toUtf8()));
    QVERIFY2(result.out.contains(part.toUtf8()), result.out);
    QVERIFY(result.err.isEmpty());
}

void CliErrorsTest::refusesUsage_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("part");
    const auto row = [](const char* name, const QStringList& arguments, const char* part) {
        QTest::newRow(name) << arguments << part;
    };
    const auto generate = [](const QStringList& rest) { return QStringList{"generate", kModel, "--tokens", "1"} + rest; };
    row("nothing", {}, "a command is missing");
    row("unknown command", {"frobnicate"}, "unknown command \"frobnicate\"");
    row("no model", {"inspect"}, "MODEL is missing");
    row("two models", {"inspect", "a", "b"}, "unexpected argument \"b\"");
    row("unknown option", generate({"--colour"}), "unknown option --colour");
    row("short option", generate({"-n"}), "unknown option -n");
    row("value missing", {"generate", kModel, "--tokens"}, "--tokens needs a value");
    row("value swallowed", {"generate", kModel, "--prompt", "--json"}, "--prompt needs a value");
    row("flag with value", generate({"--json=1"}), "--json takes no value");
    row("no prompt", {"generate", kModel}, "give --prompt or --tokens");
    row("two prompts", generate({"--prompt", "x"}), "not both");
    row("ids: letters", {"generate", kModel, "--tokens", "1,x"}, "--tokens: expected token ids");
    row("ids: negative", {"generate", kModel, "--tokens", "-1"}, "--tokens: expected token ids");
    row("ids: empty", {"generate", kModel, "--tokens", ""}, "--tokens: expected token ids");
    row("ids: trailing comma", {"generate", kModel, "--tokens", "1,"}, "--tokens: expected token ids");
    row("ids: too large", {"generate", kModel, "--tokens", "99999999999"}, "--tokens: expected token ids");
    row("number: text", generate({"--max-tokens", "many"}), "--max-tokens: expected a whole number");
    row("number: rubbish", generate({"--max-tokens", "5x"}), "--max-tokens: expected a whole number");
    row("number: negative", generate({"--max-tokens", "-5"}), "--max-tokens: expected a whole number");
    row("number: overflow", generate({"--max-tokens", "99999999999999999999"}), "--max-tokens: expected a whole number");
    row("threads: 0", generate({"--threads", "0"}), "--threads: expected a whole number from 1");
    row("temperature: nan", generate({"--temperature", "nan"}), "--temperature: expected a number");
    row("temperature: inf", generate({"--temperature", "inf"}), "--temperature: expected a number");
    row("temperature: negative", generate({"--temperature", "-0.1"}), "--temperature: expected a number");
    row("top-p: 0", generate({"--top-p", "0"}), "--top-p: expected a number above 0");
    row("top-p: underflow", generate({"--top-p", "1e-60"}), "--top-p: expected a number above 0");
    row("top-p: 1.1", generate({"--top-p", "1.1"}), "--top-p: expected a number above 0");
    row("threshold: 1", generate({"--threshold", "1"}), "--threshold: expected a number above 0 and below 1");
    row("seed", generate({"--seed", "-1"}), "--seed: expected");
    row("device", generate({"--device", "tpu"}), "--device: expected cpu, cuda or auto");
    row("kv type", generate({"--kv-type", "int4"}), "--kv-type: expected f32, f16 or bf16");
    row("compute", generate({"--compute", "f16"}), "--compute: expected f32 or bf16");
    row("routing", generate({"--routing", "TopK"}), "--routing: expected threshold or topk");
    row("head", generate({"--head", "x"}), "--head: expected main or aux");
    row("kv policy", generate({"--kv-policy", "x"}), "--kv-policy: expected model, recursion-wise or sharing");
    row("force: no depth", generate({"--force", "3"}), "--force: expected POS=D");
    row("force: letters", generate({"--force", "a=1"}), "--force position: expected a whole number");
    row("force: trailing", generate({"--force", "1=1,"}), "--force: expected POS=D");
    row("trace: empty", generate({"--trace", ""}), "--trace needs a file name");
    row("dump: no out", {"dump", kModel, "--tokens", "1"}, "--out is missing");
    row("dump: no tokens", {"dump", kModel, "--out", "x"}, "--tokens is missing");
    row("tokenize: no text", {"tokenize", kModel}, "--text is missing");
    row("replay: both", {"replay", "x", "--json", "--csv"}, "either --json or --csv");
    row("bench: no batch", {"bench", kModel, "--batch", "0"}, "--batch: expected a whole number from 1");
}

void CliErrorsTest::refusesUsage() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, part);
    const Result result = run(arguments);
    QCOMPARE(result.code, 2);
    verifySentence(result, part);
}

void CliErrorsTest::refusesRuns_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("part");
    const auto row = [](const char* name, const QStringList& arguments, const QString& part) {
        QTest::newRow(name) << arguments << part;
    };
    QStringList many;
    for (int i = 0; i < 257; ++i) many.append("1");
    row("token outside the vocabulary", {"generate", kModel, "--tokens", "5,128"}, "from 0 to 127, got 128");
    row("prompt too long", {"generate", kModel, "--tokens", many.join(',')}, "at most 256");
    row("empty prompt", {"generate", kTrained, "--prompt", ""}, "prompt");
    row("prompt not UTF-8", {"tokenize", kTrained, "--text", QString::fromLatin1("x")}, {});
    row("text without tokenizer", {"generate", kModel, "--prompt", "x"}, "give token ids with --tokens");
    row("tokenize without tokenizer", {"tokenize", kModel, "--text", "x"}, "tokenizer.model");
    row("chat", {"generate", kModel, "--prompt", "x", "--chat"}, "a chat template");
    row("trace into nowhere", {"generate", kModel, "--tokens", "1", "--trace", "/nonexistent/x.mortrace"},
        "/nonexistent/x.mortrace");
    row("dump into nowhere", {"dump", kModel, "--tokens", "1", "--out", "/nonexistent/x.safetensors"}, "/nonexistent");
    row("no trace", {"replay", "/nonexistent.mortrace"}, "/nonexistent.mortrace");
    row("a directory as trace", {"replay", kModel}, kModel);
    row("a model as trace", {"replay", kModel + "/model.safetensors"}, "model.safetensors");
    row("no text file", {"perplexity", kTrained, "--text", "/nonexistent.txt"}, "/nonexistent.txt");
    row("a directory as text", {"perplexity", kTrained, "--text", "/"}, "a directory");
    row("one token is no text", {"perplexity", kModel, "--tokens", "1"}, {});
    row("depth too deep", {"generate", kModel, "--tokens", "1", "--depth", "9"}, "9");
    row("forced too deep", {"generate", kModel, "--tokens", "1", "--force", "0=9"}, "9");
    row("no auxiliary router", {"generate", kModel, "--tokens", "1", "--head", "aux"}, {});
    row("bench past the context", {"bench", kModel, "--prompt-tokens", "256", "--decode-tokens", "1"}, "context of 256");
}

void CliErrorsTest::refusesRuns() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, part);
    if (QString(QTest::currentDataTag()) == "prompt not UTF-8") {
        // QProcess encodes its arguments, so the broken byte has to come out of a shell.
        QProcess shell;
        shell.start("sh", {"-c", R"sh("$0" tokenize "$1" --text "$(printf 'a\377b')")sh", MOR_CLI, kTrained});
        QVERIFY(shell.waitForFinished(kPatience));
        QCOMPARE(shell.exitCode(), 1);
        QVERIFY(shell.readAllStandardError().contains("UTF-8"));
        return;
    }
    const Result result = run(arguments);
    QCOMPARE(result.code, 1);
    verifySentence(result, part);
}

void CliErrorsTest::refusesModels_data() {
    QTest::addColumn<QString>("file");        // of the copy, to be replaced
    QTest::addColumn<QByteArray>("content");  // null: removed
    QTest::newRow("no config") << "config.json" << QByteArray();
    QTest::newRow("config is no JSON") << "config.json" << QByteArray("{\"hidden_size\": 64,");
    QTest::newRow("config is a list") << "config.json" << QByteArray("[]");
    QTest::newRow("config is empty") << "config.json" << QByteArray("");
    QTest::newRow("mor is no JSON") << "mor.json" << QByteArray("mor");
    QTest::newRow("no weights") << "model.safetensors" << QByteArray();
    QTest::newRow("weights are empty") << "model.safetensors" << QByteArray("");
    QTest::newRow("weights are text") << "model.safetensors" << QByteArray("this is not a safetensors file");
    QTest::newRow("header longer than the file")
        << "model.safetensors" << QByteArray("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
    QTest::newRow("tokenizer is text") << "tokenizer.model" << QByteArray("not a tokenizer");
}

void CliErrorsTest::refusesModels() {
    QFETCH(QString, file);
    QFETCH(QByteArray, content);
    QTemporaryDir copy;
    for (const char* name : {"config.json", "mor.json", "model.safetensors"})
        QVERIFY(QFile::copy(kModel + "/" + name, copy.filePath(name)));
    QFile::remove(copy.filePath(file));
    if (!content.isNull()) {
        QFile out(copy.filePath(file));
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(content);
    }
    for (const QStringList& arguments :
         {QStringList{"inspect", copy.path()}, QStringList{"generate", copy.path(), "--tokens", "1"}}) {
        const Result result = run(arguments);
        QCOMPARE(result.code, 1);
        verifySentence(result, copy.path());
    }
}

void CliErrorsTest::reportsAFullDisk() {
    QProcess process;
    process.setStandardOutputFile("/dev/full");
    process.start(QStringLiteral(MOR_CLI), {"generate", kModel, "--tokens", "1", "--max-tokens", "4"});
    QVERIFY(process.waitForFinished(kPatience));
    QCOMPARE(process.exitCode(), 1);
    QVERIFY(process.readAllStandardError().contains("cannot write"));
}

void CliErrorsTest::stopsOnInterrupt() {
    const QString trace = folder_.filePath("interrupted.mortrace");
    QProcess process;
    process.start(QStringLiteral(MOR_CLI), {"generate", kTrained, "--prompt", "And", "--max-tokens", "500", "--ignore-eos",
                                            "--threads", "1", "--trace", trace, "--json"});
    QVERIFY(process.waitForReadyRead(kPatience));
    QCOMPARE(::kill(static_cast<pid_t>(process.processId()), SIGINT), 0);
    QVERIFY(process.waitForFinished(kPatience));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 0);
    const QJsonObject summary = jsonLines(process.readAllStandardOutput()).back();
    QCOMPARE(summary["finish"].toString(), "cancelled");
    const int tokens = summary["prompt_tokens"].toInt() + summary["decoded_tokens"].toInt();
    QVERIFY(tokens < 500);
    const Result replayed = run({"replay", trace, "--csv"});
    QCOMPARE(replayed.code, 0);
    QCOMPARE(replayed.out.count('\n'), 1 + tokens);
}

QTEST_GUILESS_MAIN(CliErrorsTest)
#include "tst_cli_errors.moc"
