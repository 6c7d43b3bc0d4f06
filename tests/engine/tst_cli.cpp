// SPDX-License-Identifier: Apache-2.0
// morscope-cli as scripts use it: every subcommand, its output, its sentences and exit codes.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

#include "engine/golden.hpp"

namespace {

const QString kReference = QStringLiteral(MOR_TEST_DATA "/reference/");
const QString kModel = kReference + "mor_expert_mc";
const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

struct Result {
    int code = -1;
    QByteArray out;
    QByteArray err;
};

Result run(const QStringList& arguments,
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

QList<QJsonObject> jsonLines(const QByteArray& text) {
    QList<QJsonObject> objects;
    for (const QByteArray& line : text.trimmed().split('\n')) objects.append(QJsonDocument::fromJson(line).object());
    return objects;
}

QString joined(const std::vector<int>& ids) {
    QStringList words;
    for (int id : ids) words.append(QString::number(id));
    return words.join(',');
}

/// Exactly one line on standard error, from the program itself.
void verifySentence(const Result& result, const QString& part) {
    const QString sentence = QString::fromUtf8(result.err);
    QVERIFY2(sentence.startsWith("morscope-cli: ") && sentence.count('\n') == 1, result.err);
    QVERIFY2(sentence.contains(part), result.err);
    QVERIFY2(result.out.isEmpty(), result.out);
}

}  // namespace

class CliTest : public QObject {
    Q_OBJECT

private slots:
    void writesTheReferenceTokens_data();
    void writesTheReferenceTokens();
    void printsJsonLines();
    void replaysWhatItRecorded();
    void replayAsTableAndCsv();
    void samplesBySeed();
    void hashIgnoresThreads();
    void inspects();
    void dumps();
    void measuresPerplexity();
    void readsTextFromStandardInput();
    void tokenizes();
    void listsModels();
    void findsBundledModelsByName();
    void benches();
    void benchCountsWhatATokenReads_data();
    void benchCountsWhatATokenReads();
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

void CliTest::writesTheReferenceTokens_data() {
    QTest::addColumn<QString>("config");
    for (const char* config : {"vanilla", "mor_expert_mc", "mor_expert_mc_kvshare"}) QTest::newRow(config) << config;
}

void CliTest::writesTheReferenceTokens() {
    QFETCH(QString, config);
    const mor::testing::Golden golden((kReference + config + "/golden_causal.safetensors").toStdString());
    for (const char* prompt : {"tokens.p0", "tokens.p1", "tokens.p2"}) {
        const std::vector<int> all = golden.ints(prompt);
        const std::vector<int> begin(all.begin(), all.end() - 16);
        const Result result =
            run({"generate", kReference + config, "--tokens", joined(begin), "--max-tokens", "16", "--ignore-eos"});
        QCOMPARE(result.code, 0);
        QCOMPARE(QString::fromUtf8(result.out).trimmed(), joined(all));
    }
}

void CliTest::printsJsonLines() {
    const Result result = run({"generate", kModel, "--tokens", "3,1,4,1,5", "--max-tokens", "7", "--ignore-eos", "--json"});
    QCOMPARE(result.code, 0);
    const auto lines = jsonLines(result.out);
    QCOMPARE(lines.size(), 1 + 12 + 1);
    QCOMPARE(lines.front()["type"].toString(), "header");
    int depths = 0;
    for (int i = 0; i < 12; ++i) {
        const QJsonObject& token = lines[i + 1];
        QCOMPARE(token["type"].toString(), "token");
        QCOMPARE(token["position"].toInt(), i);
        depths += token["depth"].toInt();
    }
    const QJsonObject summary = lines.back();
    QCOMPARE(summary["type"].toString(), "summary");
    QCOMPARE(summary["finish"].toString(), "max-tokens");
    QCOMPARE(summary["prompt_tokens"].toInt(), 5);
    QCOMPARE(summary["decoded_tokens"].toInt(), 7);
    QCOMPARE(summary["mean_depth"].toDouble(), depths / 12.0);
    QCOMPARE(summary["logits_hash"].toString().size(), 16);
    QVERIFY(summary["kv_used"].toInt() < summary["kv_vanilla"].toInt());
}

void CliTest::replaysWhatItRecorded() {
    const QString trace = folder_.filePath("run.mortrace");
    const Result live = run({"generate", kModel, "--tokens", "9,8,7", "--max-tokens", "5", "--json", "--trace", trace});
    QCOMPARE(live.code, 0);
    const Result replayed = run({"replay", trace, "--json"});
    QCOMPARE(replayed.code, 0);
    const QByteArray records = live.out.left(live.out.trimmed().lastIndexOf('\n') + 1);  // all but the summary
    QCOMPARE(replayed.out, records);
}

void CliTest::replayAsTableAndCsv() {
    const QString trace = folder_.filePath("table.mortrace");
    QCOMPARE(run({"generate", kModel, "--tokens", "9,8,7", "--max-tokens", "5", "--ignore-eos", "--trace", trace}).code, 0);
    const Result csv = run({"replay", trace, "--csv"});
    QCOMPARE(csv.code, 0);
    const auto rows = csv.out.trimmed().split('\n');
    QCOMPARE(rows.size(), 1 + 8);
    QVERIFY(rows.front().startsWith("request,position,token,label,prompt,depth,outcome_1,"));
    for (const QByteArray& row : rows) QCOMPARE(row.count(','), rows.front().count(','));
    QVERIFY(rows[1].startsWith("0,0,9,#9,1,"));
    const Result table = run({"replay", trace});
    QCOMPARE(table.code, 0);
    QVERIFY(table.out.contains("recursion 3") && table.out.contains("8 tokens"));
}

void CliTest::samplesBySeed() {
    const auto text = [](const QString& seed) {
        return run({"generate", kModel, "--tokens", "1,2,3", "--max-tokens", "24", "--ignore-eos", "--temperature", "1.5",
                    "--seed", seed})
            .out;
    };
    const QByteArray first = text("7");
    QVERIFY(first.count(',') == 26);
    QCOMPARE(text("7"), first);
    QVERIFY(text("8") != first);
}

void CliTest::hashIgnoresThreads() {
    const auto hash = [](const QString& threads) {
        const Result result = run(
            {"generate", kTrained, "--prompt", "In the beginning", "--max-tokens", "8", "--json", "--threads", threads});
        return jsonLines(result.out).back()["logits_hash"].toString();
    };
    const QString one = hash("1");
    QCOMPARE(one.size(), 16);
    QCOMPARE(hash("2"), one);
    QCOMPARE(hash("3"), one);
}

void CliTest::inspects() {
    const Result result = run({"inspect", kModel, "--json", "--threads", "2"});
    QCOMPARE(result.code, 0);
    const QJsonObject info = QJsonDocument::fromJson(result.out).object();
    QCOMPARE(info["mor"]["num_recursion"].toInt(), 3);
    QCOMPARE(info["llama"]["vocab_size"].toInt(), 128);
    QCOMPARE(info["segments"].toArray().size(), 5);
    QVERIFY(info["parameters_unique"].toInt() < info["parameters_effective"].toInt());
    const Result text = run({"inspect", kReference + "vanilla"});
    QCOMPARE(text.code, 0);
    QVERIFY(text.out.contains("none (vanilla)"));
}

void CliTest::dumps() {
    const QString out = folder_.filePath("dump.safetensors");
    QCOMPARE(run({"dump", kModel, "--tokens", "1,2,3,4,5,6,7", "--out", out, "--routing", "topk"}).code, 0);
    const mor::testing::Golden tensors(out.toStdString());
    QCOMPARE(tensors.shape("logits"), (std::vector<std::int64_t>{7, 128}));
    QCOMPARE(tensors.shape("router"), (std::vector<std::int64_t>{7, 3}));
    for (const char* name :
         {"active", "depth", "hidden.r0", "hidden.r2", "kv.slot_recursion", "kv.slot_tokens", "kv.rec_bytes"})
        QVERIFY2(tensors.has(name), name);
}

void CliTest::measuresPerplexity() {
    const Result result = run({"perplexity", kModel, "--tokens", "1,2,3,4,5,6,7,8", "--json"});
    QCOMPARE(result.code, 0);
    const QJsonObject measured = QJsonDocument::fromJson(result.out).object();
    QCOMPARE(measured["tokens"].toInt(), 7);
    QVERIFY(measured["nats_per_token"].toDouble() > 0);
    QVERIFY(measured["bits_per_byte"].isNull());  // without a tokenizer nobody knows the bytes
    QVERIFY(measured.contains("mean_depth"));
}

void CliTest::readsTextFromStandardInput() {
    QProcess process;
    process.start(QStringLiteral(MOR_CLI), {"perplexity", kTrained, "--text", "-", "--json"});
    process.write("And it came to pass in those days, that there went out a decree.\n");
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(kPatience));
    QCOMPARE(process.exitCode(), 0);
    const double bits = QJsonDocument::fromJson(process.readAllStandardOutput()).object()["bits_per_byte"].toDouble();
    QVERIFY2(bits > 0.1 && bits < 4, qPrintable(QString::number(bits)));  // a trained model knows this kind of text
}

void CliTest::tokenizes() {
    const Result result = run({"tokenize", kTrained, "--text", "the king’s house"});
    QCOMPARE(result.code, 0);
    std::vector<int> ids;
    for (const QJsonValue& id : QJsonDocument::fromJson(result.out).array()) ids.push_back(id.toInt());
    QVERIFY(!ids.empty());
    const QStringList rest{"--max-tokens", "6"};
    const Result byText = run(QStringList{"generate", kTrained, "--prompt", "the king’s house"} + rest);
    const Result byIds = run(QStringList{"generate", kTrained, "--tokens", joined(ids)} + rest);
    QCOMPARE(byIds.out, byText.out);
    QVERIFY(byText.out.contains("the king’s house"));
}

void CliTest::listsModels() {
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("MOR_MODELS_DIR", kReference);
    const Result result = run({"models", "--json"}, environment);
    QCOMPARE(result.code, 0);
    QStringList paths;
    for (const QJsonObject& model : jsonLines(result.out)) paths.append(model["path"].toString());
    QVERIFY(paths.contains(kReference + "vanilla") || paths.contains(QDir::cleanPath(kReference + "vanilla")));
    environment.insert("MOR_MODELS_DIR", folder_.path());
    const Result none = run({"models"}, environment);
    QCOMPARE(none.code, 0);
    QVERIFY(none.out.contains("no models in"));
}

void CliTest::findsBundledModelsByName() {
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("MOR_MODELS_DIR", kReference);
    const Result result = run({"generate", "vanilla", "--tokens", "5", "--max-tokens", "1"}, environment);
    QCOMPARE(result.code, 0);
}

void CliTest::benches() {
    const Result result = run({"bench", kModel, "--prompt-tokens", "12", "--decode-tokens", "6", "--batch", "3", "--json"});
    QCOMPARE(result.code, 0);
    const QJsonObject bench = QJsonDocument::fromJson(result.out).object();
    for (const char* key :
         {"prefill_tokens_per_second", "decode_tokens_per_second", "batched_decode_tokens_per_second", "decode_ratio"})
        QVERIFY2(bench[key].toDouble() > 0, key);
    QCOMPARE(bench["batch"].toInt(), 3);
    const double depth = bench["mean_depth"].toDouble();
    QVERIFY(depth > 0 && bench["weight_bytes_per_token"].toDouble() > 0 && bench["kv_bytes_per_token"].toDouble() > 0);
}

void CliTest::benchCountsWhatATokenReads_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<double>("layers");  // each of which reads all earlier tokens
    QTest::newRow("vanilla") << "vanilla" << QStringList{} << 6.0;
    QTest::newRow("bf16") << "vanilla" << QStringList{"--kv-type", "bf16"} << 3.0;  // half the bytes
    QTest::newRow("every token to depth 2") << "mor_expert_mc" << QStringList{"--depth", "2"} << 2 + 2.0 * 2;
    QTest::newRow("to depth 2, shared K/V")
        << "mor_expert_mc" << QStringList{"--depth", "2", "--kv-policy", "sharing"} << 2 + 2.0 * 2;
}

/// Tokens behind a prompt of 12 see 13 to 18 entries, 15.5 in the mean; an entry of a layer has 2 x 2 heads of 16 floats.
void CliTest::benchCountsWhatATokenReads() {
    QFETCH(QString, model);
    QFETCH(QStringList, options);
    QFETCH(double, layers);
    const Result result = run(QStringList{"bench", kReference + model, "--prompt-tokens", "12", "--decode-tokens", "6",
                                          "--batch", "2", "--json"} +
                              options);
    QCOMPARE(result.code, 0);
    const QJsonObject bench = QJsonDocument::fromJson(result.out).object();
    QCOMPARE(bench["kv_bytes_per_token"].toDouble(), 15.5 * layers * 2 * 2 * 16 * 4);
}

void CliTest::helps_data() {
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

void CliTest::helps() {
    QFETCH(QString, command);
    QFETCH(QString, part);
    const Result result = run({command, "--help"});
    QCOMPARE(result.code, 0);
    QVERIFY(result.out.startsWith("Usage: morscope-cli " + command.toUtf8()));
    QVERIFY2(result.out.contains(part.toUtf8()), result.out);
    QVERIFY(result.err.isEmpty());
}

void CliTest::refusesUsage_data() {
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

void CliTest::refusesUsage() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, part);
    const Result result = run(arguments);
    QCOMPARE(result.code, 2);
    verifySentence(result, part);
}

void CliTest::refusesRuns_data() {
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

void CliTest::refusesRuns() {
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

void CliTest::refusesModels_data() {
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

void CliTest::refusesModels() {
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

void CliTest::reportsAFullDisk() {
    QProcess process;
    process.setStandardOutputFile("/dev/full");
    process.start(QStringLiteral(MOR_CLI), {"generate", kModel, "--tokens", "1", "--max-tokens", "4"});
    QVERIFY(process.waitForFinished(kPatience));
    QCOMPARE(process.exitCode(), 1);
    QVERIFY(process.readAllStandardError().contains("cannot write"));
}

void CliTest::stopsOnInterrupt() {
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

QTEST_GUILESS_MAIN(CliTest)
#include "tst_cli.moc"
