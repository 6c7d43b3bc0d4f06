// SPDX-License-Identifier: Apache-2.0
// Whole bundled models on a CUDA device: the trainer's perplexity of the held-out excerpt, as tst_perplexity demands it of
// the CPU, and the CPU's greedy text. The emulated device decodes a few tokens of each only.
#include <QtTest>

#include "engine/backends.hpp"
#include "engine/heldout.hpp"
#include "mor/analysis.hpp"
#include "mor/session.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::shared_ptr<const Model> load(const QString& model, const std::string& device) {
    return Model::load(bundled_model(model), settings_of(device));
}

/// What a token was and how sure the model was of it: distance of its logit from the next one's.
struct Decoded {
    std::vector<int> tokens, depths;
    std::vector<float> lead;
};

Decoded generate(const QString& name, const std::string& device, const std::string& prompt, int n) {
    const auto model = load(name, device);
    Session session(model);
    session.prefill({.prompt = model->tokenizer()->encode(prompt), .max_tokens = n, .ignore_eos = true, .alternatives = 2});
    Decoded decoded;
    while (const auto token = session.step()) {
        decoded.tokens.push_back(token->record.token);
        decoded.depths.push_back(token->record.depth);
        decoded.lead.push_back(token->record.top.at(0).logprob - token->record.top.at(1).logprob);
    }
    return decoded;
}

}  // namespace

class TestBundledModels : public QObject {
    Q_OBJECT

private slots:
    void perplexity_is_the_trainers_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("rule");
        const QJsonObject models = trainers_figures();
        for (const QString& name : models.keys())
            for (const QString rule : {"threshold", "topk"})
                if (models[name].toObject().contains(rule))
                    QTest::addRow("%s/%s", qPrintable(name), qPrintable(rule)) << name << rule;
    }
    void perplexity_is_the_trainers() {
        if (!gpu_run()) QSKIP("takes long on the emulated device; on the CPU this is tst_perplexity");
        QFETCH(QString, name);
        QFETCH(QString, rule);
        const auto model = load(name, cuda_name());
        QVERIFY2(QString::fromStdString(model->info().device).startsWith("CUDA"), model->info().device.c_str());
        const auto tokens = model->tokenizer()->encode(heldout("excerpt.txt").toStdString());
        const RoutingSettings routing{.rule = rule == "topk" ? SelectionRule::TopK : SelectionRule::Threshold};
        const Perplexity p = perplexity(model, tokens, routing);
        const QJsonObject wanted = trainers_figures()[name].toObject()[rule].toObject();
        QCOMPARE(p.tokens, wanted["tokens"].toInteger());
        const auto close = [&](double got, const char* figure) {
            const double trainers = wanted[figure].toDouble();
            qInfo("%s %s %s: %.6f, trainer %.6f", qPrintable(name), qPrintable(rule), figure, got, trainers);
            return std::abs(got / trainers - 1) < kHeldoutTolerance;
        };
        QVERIFY(close(p.nats_per_token, "nats_per_token"));
        QVERIFY(close(p.bits_per_byte, "bits_per_byte"));
        QVERIFY(close(p.mean_depth, "mean_depth"));
    }

    void greedy_text_is_the_cpus_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<int>("tokens");
        const QStringList names{"prose-expert-r3", "prose-token-r3"};
        QStringList prompts{"The old", "It was a bright morning, and the captain had not yet",
                            "\"You must not think,\" said she, \"that I have forgotten what you told me about"};
        if (!gpu_run()) prompts.resize(1);
        for (const QString& name : names)
            for (int i = 0; i < prompts.size(); ++i)
                QTest::addRow("%s/%d", qPrintable(name), i) << name << prompts[i] << (gpu_run() ? 64 : 3);
    }
    void greedy_text_is_the_cpus() {
        QFETCH(QString, name);
        QFETCH(QString, prompt);
        QFETCH(int, tokens);
        const Decoded cpu = generate(name, "cpu", prompt.toStdString(), tokens);
        const Decoded cuda = generate(name, cuda_name(), prompt.toStdString(), tokens);
        QCOMPARE(cpu.tokens.size(), static_cast<std::size_t>(tokens));
        for (std::size_t i = 0; i < cpu.tokens.size(); ++i) {
            if (cuda.tokens.at(i) == cpu.tokens[i] && cuda.depths.at(i) == cpu.depths[i]) continue;
            QFAIL(qPrintable(QString("token %1: %2 at depth %3, on the CPU %4 at depth %5, whose lead was %6")
                                 .arg(i)
                                 .arg(cuda.tokens.at(i))
                                 .arg(cuda.depths.at(i))
                                 .arg(cpu.tokens[i])
                                 .arg(cpu.depths[i])
                                 .arg(static_cast<double>(cpu.lead[i]))));
        }
    }
};

MOR_BACKEND_TEST_MAIN(TestBundledModels)
#include "tst_bundled_models.moc"
