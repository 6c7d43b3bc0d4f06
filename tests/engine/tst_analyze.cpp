// SPDX-License-Identifier: Apache-2.0
// The causal and the training-time rule over one text: sums that must follow from the tokens, cases with a known answer,
// and the command that prints them.
#include <QtTest>

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <cmath>
#include <numeric>

#include "engine/reference_set.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::shared_ptr<const Model> load(const std::string& name) {
    return Model::load(reference_directory(name), {.device = "cpu", .threads = 2});
}

std::vector<int> some_tokens(int n) {
    std::vector<int> ids(n);
    for (int i = 0; i < n; ++i) ids[i] = (i * 37 + i * i % 11 + 5) % 128;
    return ids;
}

bool taken(const RuleOutcome& o, int r) { return o.recursions[r].outcome == Outcome::Take; }
bool offered(const RuleOutcome& o, int r) { return o.recursions[r].outcome != Outcome::NotOffered; }

}  // namespace

class Analyze : public QObject {
    Q_OBJECT

private slots:
    void imposed_depths_make_the_rules_agree() {
        const auto c = compare_rules(load("mor_expert_mc"), some_tokens(60), {.fixed_depth = 2});
        QCOMPARE(c.differing, std::int64_t{0});
        QCOMPARE(c.nats_causal, c.nats_topk);
        for (const RecursionAgreement& r : c.recursions) {
            QCOMPARE(r.offered_both, std::int64_t{60});
            QCOMPARE(r.agree_both, r.offered_both);
            QCOMPARE(r.agree_either, r.offered_either);
        }
        QCOMPARE(c.confusion[2][2], std::int64_t{60});
    }

    void a_threshold_that_takes_everybody_leaves_only_the_capacity() {
        // Threshold just above 0 takes everybody, TopK takes capacity * T: the counts are known without a model.
        const auto c = compare_rules(load("mor_expert_mc"), some_tokens(60), {.threshold = 1e-30});
        const std::int64_t topk[] = {60, 40, 19};  // int(1.0 * 60), int(0.667 * 60), int(0.333 * 60)
        for (int r = 0; r < 3; ++r) {
            QCOMPARE(c.recursions[r].taken_causal, std::int64_t{60});
            QCOMPARE(c.recursions[r].taken_topk, topk[r]);
            QCOMPARE(c.recursions[r].offered_either, std::int64_t{60});
            QCOMPARE(c.recursions[r].offered_both, r == 0 ? 60 : topk[r - 1]);
            QCOMPARE(c.recursions[r].agree_both, topk[r]);
            QCOMPARE(c.recursions[r].agree_either, topk[r]);
        }
        QCOMPARE(c.confusion[3], (std::vector<std::int64_t>{0, 20, 21, 19}));
        QCOMPARE(c.differing, std::int64_t{41});
        QCOMPARE(c.mean_depth_causal, 3.0);
        QCOMPARE(c.mean_depth_topk, (20 * 1 + 21 * 2 + 19 * 3) / 60.0);
    }

    void sums_follow_from_the_tokens_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"mor_expert_cycle", "mor_expert_mc", "mor_expert_mc_auxrouter", "mor_expert_mc_kvshare"})
            QTest::newRow(name) << name;
    }

    void sums_follow_from_the_tokens() {
        QFETCH(QString, name);
        const auto c = compare_rules(load(name.toStdString()), some_tokens(80));
        const auto n = static_cast<std::int64_t>(c.tokens.size());
        QCOMPARE(n, std::int64_t{80});
        std::int64_t all = 0, diagonal = 0;
        for (std::size_t d = 0; d < c.confusion.size(); ++d) {
            all += std::accumulate(c.confusion[d].begin(), c.confusion[d].end(), std::int64_t{0});
            diagonal += c.confusion[d][d];
        }
        QCOMPARE(all, n);
        QCOMPARE(c.differing, n - diagonal);
        QVERIFY(c.differing > 0 && c.nats_causal != c.nats_topk);  // the leak is there to be seen
        for (int r = 0; r < 3; ++r) {
            std::int64_t both = 0, agree = 0, offered_topk = 0, aux_right = 0;
            for (const ComparedToken& t : c.tokens) {
                both += offered(t.causal, r) && offered(t.topk, r);
                agree += offered(t.causal, r) && offered(t.topk, r) && taken(t.causal, r) == taken(t.topk, r);
                offered_topk += offered(t.topk, r);
                aux_right += offered(t.topk, r) && (t.topk.recursions[r].aux_logit >= 0) == taken(t.topk, r);
            }
            QCOMPARE(c.recursions[r].offered_both, both);
            QCOMPARE(c.recursions[r].agree_both, agree);
            if (!c.has_auxiliary) continue;
            QCOMPARE(c.recursions[r].aux_offered, offered_topk);
            QCOMPARE(c.recursions[r].aux_correct, aux_right);
        }
        QCOMPARE(c.has_auxiliary, name.contains("auxrouter"));
    }

    void losses_and_depths_are_those_of_perplexity() {
        const auto model = load("mor_expert_mc");
        const auto tokens = some_tokens(600);  // two windows of 256, the rest is dropped
        const auto c = compare_rules(model, tokens);
        const auto causal = perplexity(model, tokens), topk = perplexity(model, tokens, {.rule = SelectionRule::TopK});
        QCOMPARE(c.windows, 2);
        QCOMPARE(c.tokens.size(), std::size_t{512});
        QCOMPARE(c.predicted, causal.tokens);
        QVERIFY(std::abs(c.nats_causal - causal.nats_per_token) < 1e-12);
        QVERIFY(std::abs(c.nats_topk - topk.nats_per_token) < 1e-12);
        QCOMPARE(c.mean_depth_causal, causal.mean_depth);
        QCOMPARE(c.mean_depth_topk, topk.mean_depth);
        QVERIFY(std::isnan(c.tokens[256].causal.logprob) && c.tokens[256].window == 1 && c.tokens[256].position == 0);
    }

    void other_models_are_refused_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("word");
        QTest::newRow("vanilla") << "vanilla"
                                 << "without routers";
        QTest::newRow("recursive") << "rec_middle_cycle"
                                   << "without routers";
        QTest::newRow("token choice") << "mor_token_mc_softmax"
                                      << "token-choice";
    }

    void other_models_are_refused() {
        QFETCH(QString, name);
        QFETCH(QString, word);
        try {
            compare_rules(load(name.toStdString()), some_tokens(10));
            QFAIL("accepted");
        } catch (const Error& e) {
            QVERIFY2(QString(e.what()).contains(word), e.what());
        }
    }

    void a_text_of_one_token_is_refused() {
        QVERIFY_EXCEPTION_THROWN(compare_rules(load("mor_expert_mc"), some_tokens(1)), Error);
    }

    void the_command_prints_the_same() {
        const auto tokens = some_tokens(40);
        QStringList ids;
        for (const int id : tokens) ids << QString::number(id);
        const auto c = compare_rules(load("mor_expert_mc_auxrouter"), tokens);
        const QByteArray out = command("mor_expert_mc_auxrouter", {"--tokens", ids.join(","), "--json"}, 0);
        const QJsonObject json = QJsonDocument::fromJson(out).object();
        QCOMPARE(json["differing_tokens"].toInteger(), c.differing);
        QCOMPARE(json["nats_per_token_topk"].toDouble(), c.nats_topk);
        QCOMPARE(json["tokens"].toArray().size(), 40);
        const QJsonObject second = json["recursions"].toArray()[1].toObject();
        QCOMPARE(second["taken_causal"].toInteger(), c.recursions[1].taken_causal);
        QCOMPARE(second["aux_router_accuracy"].toDouble(),
                 static_cast<double>(c.recursions[1].aux_correct) / static_cast<double>(c.recursions[1].aux_offered));
        const QByteArray text = command("mor_expert_mc_auxrouter", {"--tokens", ids.join(",")}, 0);
        QVERIFY(text.contains(QByteArray::number(qlonglong(c.differing)) + " of 40 tokens differ"));
        QVERIFY(command("vanilla", {"--tokens", "1,2,3"}, 1).contains("expert-choice"));
        QVERIFY(command("mor_expert_mc", {}, 2).contains("--tokens"));
    }

private:
    /// What `morscope-cli analyze MODEL ...` prints, standard error on failure; `code` is the exit code expected.
    static QByteArray command(const char* model, QStringList arguments, int code) {
        QProcess process;
        arguments = QStringList{"analyze", QString::fromStdString(reference_directory(model).string())} + arguments;
        process.start(MOR_CLI, arguments);
        if (!process.waitForFinished(60000)) qFatal("morscope-cli did not end");
        if (process.exitCode() != code) qWarning() << process.exitCode() << process.readAllStandardError();
        [&] { QCOMPARE(process.exitCode(), code); }();
        return code ? process.readAllStandardError() : process.readAllStandardOutput();
    }
};

QTEST_GUILESS_MAIN(Analyze)
#include "tst_analyze.moc"
