// SPDX-License-Identifier: Apache-2.0
// The engine's perplexity of bundled models on held-out text against the trainer's own figures for the exported weights
// (expected.json), on every kernel set and, for expert choice, under both selection rules.
#include <QtTest>

#include <QCryptographicHash>
#include <QFile>
#include <QJsonObject>
#include <cmath>

#include "backend/backend.hpp"
#include "engine/heldout.hpp"
#include "mor/analysis.hpp"
#include "mor/error.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::shared_ptr<const Model> load(const std::string& isa, const QString& model = "prose-expert-r3") {
    return Model::load(bundled_model(model), {.threads = 2, .cpu_isa = isa});
}

}  // namespace

class PerplexityTest : public QObject {
    Q_OBJECT

private slots:
    void figures_belong_to_the_bundled_weights() {
        const QJsonObject models = trainers_figures();
        QVERIFY2(models.size() >= 2, "expected.json names fewer than two models");
        for (const QString& name : models.keys()) {
            QFile weights(bundled_model(name) / "model.safetensors");
            QVERIFY2(weights.open(QIODevice::ReadOnly), qPrintable(weights.fileName()));
            QCryptographicHash hash(QCryptographicHash::Sha256);
            QVERIFY(hash.addData(&weights));
            QCOMPARE(QString(hash.result().toHex()), models[name].toObject()["sha256"].toString());
        }
    }

    void equals_the_trainers_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("isa");
        QTest::addColumn<QString>("rule");
        const QJsonObject models = trainers_figures();
        for (const QString& name : models.keys())
            for (const QString rule : {"threshold", "topk"})
                if (models[name].toObject().contains(rule))
                    for (const auto& isa : cpu_isas())
                        QTest::addRow("%s/%s/%s", qPrintable(name), isa.c_str(), qPrintable(rule))
                            << name << QString::fromStdString(isa) << rule;
    }

    void equals_the_trainers() {
        QFETCH(QString, name);
        QFETCH(QString, isa);
        QFETCH(QString, rule);
        const auto model = load(isa.toStdString(), name);
        const auto tokens = model->tokenizer()->encode(heldout("excerpt.txt").toStdString());
        const RoutingSettings routing{.rule = rule == "topk" ? SelectionRule::TopK : SelectionRule::Threshold};
        int windows = 0;
        const Perplexity p = perplexity(model, tokens, routing, {}, {}, [&](int done, int) { windows = done; });
        const QJsonObject wanted = trainers_figures()[name].toObject()[rule].toObject();
        QCOMPARE(p.tokens, wanted["tokens"].toInteger());
        QCOMPARE(p.tokens, windows * 511LL);
        const auto close = [&](double got, const char* figure) {
            const double trainers = wanted[figure].toDouble();
            const bool near = std::abs(got / trainers - 1) < kHeldoutTolerance;
            if (!near) qWarning("%s: expected the trainer's %.6f, got %.6f", figure, trainers, got);
            return near;
        };
        QVERIFY(close(p.nats_per_token, "nats_per_token"));
        QVERIFY(close(p.bits_per_byte, "bits_per_byte"));
        QVERIFY(close(p.mean_depth, "mean_depth"));
        qInfo("%s %s %s: %.6f nats per token, trainer %.6f", qPrintable(name), qPrintable(isa), qPrintable(rule),
              p.nats_per_token, wanted["nats_per_token"].toDouble());
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
