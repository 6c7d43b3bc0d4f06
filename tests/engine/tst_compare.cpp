// SPDX-License-Identifier: Apache-2.0
// Two runs over the same tokens: the figures, and morscope-cli compare.
#include <QTemporaryDir>
#include <cmath>

#include "engine/cli_runner.hpp"
#include "mor/comparison.hpp"
#include "mor/error.hpp"

using namespace mor::test;
using mor::compare_runs;
using mor::Trace;

namespace {

struct Made {
    int token, depth;
    float logprob;
};

/// A run of so many recursions; token i costs 100 (depth + 1) FLOPs and stores depth + 1 entries of 8 bytes.
Trace made(int recursions, const std::vector<Made>& tokens) {
    Trace trace;
    trace.header.config.mor.num_recursion = recursions;
    std::vector<std::int64_t> used(static_cast<std::size_t>(recursions) + 1, 0);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        mor::TokenRecord t;
        t.position = static_cast<int>(i);
        t.token = tokens[i].token;
        t.label = "t" + std::to_string(t.token);
        t.depth = tokens[i].depth;
        t.logprob = tokens[i].logprob;
        t.flops = 100 * (t.depth + 1);
        t.flops_vanilla = 1000;
        for (int d = 0; d <= t.depth; ++d) used[static_cast<std::size_t>(d)] += 8;
        t.kv = {used, used, 64 * (t.position + 1)};
        trace.tokens.push_back(t);
    }
    return trace;
}

std::string error_of(const Trace& a, const Trace& b) {
    try {
        compare_runs(a, b);
    } catch (const mor::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

class CompareTest : public QObject {
    Q_OBJECT

private slots:
    void countsCommonTokens();
    void correlatesDepths();
    void refusesWhatHasNothingInCommon();
    void theSameModelIsTheSame();
    void readsWhatTheOtherWrote_data();
    void readsWhatTheOtherWrote();
    void optionsOfBBeginAsThoseOfA();
    void printsTablesAndCsv();
    void refusesInOneSentence_data();
    void refusesInOneSentence();

private:
    QTemporaryDir folder_;
};

void CompareTest::countsCommonTokens() {
    const float nan = mor::kNotEvaluated;
    const auto a = made(3, {{5, 1, nan}, {6, 3, -1.0f}, {7, 2, -2.0f}, {8, 2, -3.0f}});
    const auto b = made(1, {{5, 1, nan}, {6, 0, -0.5f}, {7, 1, nan}, {9, 1, -9.0f}, {9, 1, -9.0f}});
    const auto c = compare_runs(a, b);
    QCOMPARE(c.tokens, 3);     // the fourth differs
    QCOMPARE(c.predicted, 1);  // the third has no probability in b
    QCOMPARE(c.a.nats_per_token, 1.0);
    QCOMPARE(c.b.nats_per_token, 0.5);
    QCOMPARE(c.a.mean_depth, 2.0);
    QCOMPARE(c.b.mean_depth, 2.0 / 3);
    QCOMPARE(c.a.flops_per_token, 200.0);  // of the first, from which both predicted the second
    QCOMPARE(c.b.flops_per_token, 200.0);
    QCOMPARE(c.a.flops_per_token_vanilla, 1000.0);
    QCOMPARE(c.a.kv_used, 8 * 9);
    QCOMPARE(c.b.kv_used, 8 * 5);
    QCOMPARE(c.a.kv_vanilla, 64 * 3);
    QCOMPARE(c.a.depths, (std::vector<std::int64_t>{0, 1, 1, 1}));
    QCOMPARE(c.depths, (std::vector<std::vector<std::int64_t>>{{0, 0}, {0, 1}, {0, 1}, {1, 0}}));

    const auto vanilla = compare_runs(made(0, {{5, 0, -1.0f}}), a);
    QVERIFY(std::isnan(vanilla.a.mean_depth) && std::isnan(vanilla.a.nats_per_token));
    QCOMPARE(vanilla.depths.size(), std::size_t{1});

    auto second = made(3, {{1, 1, nan}});
    second.tokens[0].request = 1;  // another text in the same trace is not compared
    auto mixed = a;
    mixed.tokens.insert(mixed.tokens.begin() + 1, second.tokens[0]);
    QCOMPARE(compare_runs(mixed, b).a.kv_used, c.a.kv_used);
}

void CompareTest::correlatesDepths() {
    const auto depths = [](std::vector<int> values) {
        std::vector<Made> tokens;
        for (const int d : values) tokens.push_back({1, d, 0});
        return made(3, tokens);
    };
    const auto correlation = [&](std::vector<int> x, std::vector<int> y) {
        return compare_runs(depths(std::move(x)), depths(std::move(y))).depth_correlation;
    };
    QCOMPARE(correlation({0, 1, 2, 3}, {0, 1, 2, 3}), 1.0);
    QCOMPARE(correlation({0, 1, 2, 3}, {3, 2, 1, 0}), -1.0);
    QVERIFY(std::abs(correlation({0, 1, 2, 3}, {0, 2, 1, 3}) - 0.8) < 1e-12);
    QVERIFY(std::isnan(correlation({2, 2, 2}, {0, 1, 2})));
}

void CompareTest::refusesWhatHasNothingInCommon() {
    QVERIFY(error_of(made(3, {{5, 1, 0}}), made(3, {{6, 1, 0}})).find("none in common") != std::string::npos);
    QVERIFY(error_of(made(3, {}), made(3, {{6, 1, 0}})).find("none in common") != std::string::npos);
    auto other = made(3, {{5, 1, 0}});
    other.tokens[0].label = "five";
    const auto sentence = error_of(made(3, {{5, 1, 0}}), other);
    QVERIFY2(sentence.find("same vocabulary") != std::string::npos && sentence.find("\"five\"") != std::string::npos,
             sentence.c_str());
}

void CompareTest::theSameModelIsTheSame() {
    const auto result = run({"compare", kTrained, kTrained, "--prompt", "The king", "--max-tokens", "20", "--json"});
    QCOMPARE(result.code, 0);
    const auto lines = jsonLines(result.out);
    const auto& head = lines.front();
    QCOMPARE(head["type"].toString(), "comparison");
    QCOMPARE(head["tokens"].toInt(), lines.size() - 1);
    QCOMPARE(head["predicted"].toInt(), head["tokens"].toInt() - 1);
    const auto a = head["a"].toObject(), b = head["b"].toObject();
    for (const char* figure : {"mean_depth", "flops_per_token", "kv_used", "kv_vanilla", "model", "depths"})
        QCOMPARE(a[figure], b[figure]);
    // One side decoded token by token, the other read them at once: the same but for rounding.
    QVERIFY(std::abs(a["nats_per_token"].toDouble() - b["nats_per_token"].toDouble()) < 1e-4);
    QCOMPARE(head["depth_correlation"].toDouble(), 1.0);
}

void CompareTest::readsWhatTheOtherWrote_data() {
    QTest::addColumn<QString>("model");
    for (const char* name : {"prose-vanilla", "prose-recursive-r3", "prose-token-r3", "prose-expert-r4",
                             "prose-expert-r3-kvshare", "prose-expert-r3-auxrouter"})
        QTest::newRow(name) << name;
}

/// The figures of B are those of B reading the same text alone.
void CompareTest::readsWhatTheOtherWrote() {
    QFETCH(QString, model);
    const QString b = QStringLiteral(MOR_MODELS_DIR "/") + model, trace = folder_.filePath("a.mortrace");
    const auto both = run({"compare", kTrained, b, "--prompt", "The king said", "--max-tokens", "25", "--json"});
    QCOMPARE(both.code, 0);
    const auto lines = jsonLines(both.out);
    QStringList ids;
    for (qsizetype i = 1; i < lines.size(); ++i) ids += QString::number(lines[i]["token"].toInt());
    const auto alone = run({"generate", b, "--tokens", ids.join(','), "--max-tokens", "0", "--json"});
    QCOMPARE(alone.code, 0);
    const auto records = jsonLines(alone.out);
    const double head = 2.0 * 256 * 4096;  // which a prompt that is only read needs once, for its last token
    double flops = 0;
    for (qsizetype i = 1; i + 1 < records.size(); ++i) {
        QCOMPARE(lines[i]["depth"][1], records[i]["depth"]);
        const bool last = i + 2 == records.size();
        const double predicting = records[i]["flops"].toDouble() + (last ? 0 : head);
        QCOMPARE(lines[i]["flops"][1].toDouble(), predicting);
        if (!last) flops += predicting;
    }
    QCOMPARE(lines.front()["b"]["flops_per_token"].toDouble(), flops / static_cast<double>(ids.size() - 1));
    QCOMPARE(lines.front()["b"]["kv_used"], records.back()["kv_used"]);

    // A recorded run may stand for A.
    QCOMPARE(run({"generate", kTrained, "--prompt", "The king said", "--max-tokens", "25", "--trace", trace}).code, 0);
    const auto recorded = jsonLines(run({"compare", trace, b, "--json"}).out);
    QCOMPARE(recorded.size(), lines.size());
    QCOMPARE(recorded.front()["b"]["depths"], lines.front()["b"]["depths"]);
    QCOMPARE(recorded.front()["a"]["kv_used"], lines.front()["a"]["kv_used"]);
}

void CompareTest::optionsOfBBeginAsThoseOfA() {
    const auto depths = [](const QStringList& options) {
        const auto result =
            run(QStringList{"compare", kTrained, kTrained, "--prompt", "The king said", "--max-tokens", "9", "--json"} +
                options);
        const auto head = jsonLines(result.out).front();
        return std::pair(head["a"]["mean_depth"].toDouble(), head["b"]["mean_depth"].toDouble());
    };
    QCOMPARE(depths({"--depth", "1"}), std::pair(1.0, 1.0));
    QCOMPARE(depths({"--b-depth", "2", "--depth", "1"}), std::pair(1.0, 2.0));  // whatever the order
    QCOMPARE(depths({"--depth", "3", "--b-depth", "1"}), std::pair(3.0, 1.0));
}

void CompareTest::printsTablesAndCsv() {
    const QStringList command{
        "compare", kTrained, QStringLiteral(MOR_MODELS_DIR "/prose-vanilla"), "--tokens", "357,554", "--max-tokens", "4"};
    const auto table = run(command);
    QCOMPARE(table.code, 0);
    for (const char* part : {"6 common tokens, 5 predicted by both", "nats per token", "KiB of K/V", "depth A"})
        QVERIFY2(table.out.contains(part), table.out);
    const auto csv = run(command + QStringList{"--csv"});
    QCOMPARE(csv.out.count('\n'), 1 + 6);
    QVERIFY(csv.out.startsWith("position,token,label,depth_a,depth_b,"));
}

void CompareTest::refusesInOneSentence_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("part");
    const QString hops = QStringLiteral(MOR_MODELS_DIR "/hops-expert-r4");
    QTest::newRow("one model") << QStringList{kTrained} << 2 << "B is missing";
    QTest::newRow("no prompt") << QStringList{kTrained, kTrained} << 2 << "--prompt or --tokens";
    QTest::newRow("two formats") << QStringList{kTrained, kTrained, "--prompt", "x", "--json", "--csv"} << 2 << "not both";
    QTest::newRow("a trace has its text") << QStringList{"x.mortrace", kTrained, "--prompt", "x"} << 2 << "A is a trace";
    QTest::newRow("no such trace") << QStringList{"/nonexistent.mortrace", kTrained} << 1 << "/nonexistent.mortrace";
    QTest::newRow("another vocabulary") << QStringList{kTrained, hops, "--prompt", "x"} << 1 << "4096 and 43 tokens";
    QTest::newRow("a bad value of B") << QStringList{kTrained, kTrained, "--prompt", "x", "--b-threshold", "2"} << 2
                                      << "--b-threshold: expected";
    QTest::newRow("too deep") << QStringList{kTrained, kTrained, "--prompt", "x", "--b-depth", "4"} << 1
                              << "expected 0 to 3";
}

void CompareTest::refusesInOneSentence() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, part);
    const auto result = run(QStringList{"compare"} + arguments);
    QCOMPARE(result.code, code);
    verifySentence(result, part);
}

QTEST_GUILESS_MAIN(CompareTest)
#include "tst_compare.moc"
