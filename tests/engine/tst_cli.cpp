// SPDX-License-Identifier: Apache-2.0
// morscope-cli as scripts use it: every subcommand and its output.
#include <QTemporaryDir>

#include "engine/cli_runner.hpp"
#include "engine/golden.hpp"

using namespace mor::test;

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

QTEST_GUILESS_MAIN(CliTest)
#include "tst_cli.moc"
