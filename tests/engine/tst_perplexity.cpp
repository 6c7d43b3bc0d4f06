// SPDX-License-Identifier: Apache-2.0
// The engine's perplexity of the bundled model on held-out text against the trainer's own figure for the exported
// weights, under both selection rules, on every kernel set.
#include <QtTest>

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <cmath>
#include <filesystem>

#include "backend/backend.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"

namespace fs = std::filesystem;
using namespace mor;

namespace {

constexpr double kRelative = 0.005;

QByteArray read(const char* name) {
    QFile file(QString(MOR_TEST_DATA) + "/heldout/" + name);
    if (!file.open(QIODevice::ReadOnly)) qFatal("%s is missing", name);
    return file.readAll();
}

std::shared_ptr<const Model> load(const std::string& isa) {
    return Model::load(fs::path(MOR_MODELS_DIR) / "prose-expert-r3", {.threads = 2, .cpu_isa = isa});
}

}  // namespace

class PerplexityTest : public QObject {
    Q_OBJECT

private slots:
    void equals_the_trainers_data() {
        QTest::addColumn<QString>("isa");
        QTest::addColumn<QString>("rule");
        for (const auto& isa : cpu_isas())
            for (const char* rule : {"threshold", "topk"})
                QTest::addRow("%s/%s", isa.c_str(), rule) << QString::fromStdString(isa) << QString(rule);
    }

    void equals_the_trainers() {
        QFETCH(QString, isa);
        QFETCH(QString, rule);
        const auto model = load(isa.toStdString());
        const auto tokens = model->tokenizer()->encode(read("excerpt.txt").toStdString());
        const RoutingSettings routing{.rule = rule == "topk" ? SelectionRule::TopK : SelectionRule::Threshold};
        int windows = 0;
        const Perplexity p = perplexity(model, tokens, routing, {}, {}, [&](int done, int) { windows = done; });
        const QJsonObject expected = QJsonDocument::fromJson(read("expected.json")).object()[rule].toObject();
        QCOMPARE(p.tokens, expected["tokens"].toInteger());
        QCOMPARE(p.tokens, windows * 511LL);
        const auto close = [](double got, double wanted) { return std::abs(got / wanted - 1) < kRelative; };
        QVERIFY2(close(p.nats_per_token, expected["nats_per_token"].toDouble()),
                 qPrintable(QString::number(p.nats_per_token)));
        QVERIFY2(close(p.bits_per_byte, expected["bits_per_byte"].toDouble()),
                 qPrintable(QString::number(p.bits_per_byte)));
        QVERIFY2(close(p.mean_depth, expected["mean_depth"].toDouble()), qPrintable(QString::number(p.mean_depth)));
        qInfo("%s %s: %.6f nats per token, trainer %.6f", qPrintable(isa), qPrintable(rule), p.nats_per_token,
              expected["nats_per_token"].toDouble());
    }

    void a_short_text_is_one_window() {
        const auto model = load("auto");
        const auto tokens = model->tokenizer()->encode("The king said to his servant.");
        const Perplexity p = perplexity(model, tokens);
        QCOMPARE(p.tokens, static_cast<std::int64_t>(tokens.size()) - 1);
        QVERIFY(p.nats_per_token > 0 && p.bits_per_byte > 0 && p.mean_depth >= 1);
    }

    void no_text_is_an_error_and_a_stop_is_obeyed() {
        const auto model = load("auto");
        QVERIFY_EXCEPTION_THROWN(perplexity(model, std::vector<int>{5}), Error);
        std::stop_source stop;
        stop.request_stop();
        QVERIFY_EXCEPTION_THROWN(perplexity(model, std::vector<int>(600, 5), {}, {}, stop.get_token()), Error);
    }
};

QTEST_GUILESS_MAIN(PerplexityTest)
#include "tst_perplexity.moc"
