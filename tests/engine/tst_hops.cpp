// SPDX-License-Identifier: Apache-2.0
// The bundled models of the hops task, whose need for depth is known: the variable asked for has to make as many look-ups
// as its chain has links. tests/data/hops/questions.json holds questions of texts that training never saw.
#include <QtTest>

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <array>
#include <filesystem>

#include "mor/session.hpp"

using namespace mor;

namespace {

constexpr int kHops = 4;

QJsonArray questions() {
    QFile file(QString(MOR_TEST_DATA) + "/hops/questions.json");
    if (!file.open(QIODevice::ReadOnly)) qFatal("questions.json is missing");
    return QJsonDocument::fromJson(file.readAll()).array();
}

/// Of all questions that need the same number of look-ups.
struct Answers {
    int asked = 0, right = 0, depths = 0;
    double share() const { return double(right) / asked; }
    double mean_depth() const { return double(depths) / asked; }
};

/// By look-ups, from index 1. fixed_depth 0: the model's own depths.
std::array<Answers, kHops + 1> ask(const char* name, int fixed_depth = 0) {
    const auto model = Model::load(std::filesystem::path(MOR_MODELS_DIR) / name, {.device = "cpu", .threads = 2});
    std::array<Answers, kHops + 1> outcomes;
    for (const QJsonValue& value : questions()) {
        const QJsonObject question = value.toObject();
        Request request{.prompt = model->tokenizer()->encode(question["prompt"].toString().toStdString()), .max_tokens = 1};
        if (fixed_depth > 0) request.routing.fixed_depth = fixed_depth;
        Session session(model);
        const auto prompt = session.prefill(request);
        const auto answer = session.step();
        Answers& answers = outcomes.at(static_cast<std::size_t>(question["hops"].toInt()));
        ++answers.asked;
        answers.right += answer && answer->record.label == question["answer"].toString().toStdString();
        answers.depths += prompt.back().record.depth;
    }
    return outcomes;
}

}  // namespace

class HopsTest : public QObject {
    Q_OBJECT

private slots:
    void chains_are_followed_data() {
        QTest::addColumn<QString>("model");
        for (const char* model : {"hops-recursive-r4", "hops-expert-r4"}) QTest::newRow(model) << QString(model);
    }
    void chains_are_followed() {
        QFETCH(QString, model);
        const auto outcomes = ask(qPrintable(model));
        for (int hops = 1; hops <= kHops; ++hops) {
            const Answers& o = outcomes[static_cast<std::size_t>(hops)];
            qInfo("%d look-ups: %d of %d right, mean depth %.2f", hops, o.right, o.asked, o.mean_depth());
            QVERIFY(o.asked >= 16);
            QVERIFY2(o.share() >= 0.85, qPrintable(QString("%1 look-ups: %2 right").arg(hops).arg(o.share())));
        }
    }

    /// Its card says 1, 2, 4 and 3 passes for one to four look-ups: the layers outside make some, so three passes are
    /// enough for four, and capacities let two tokens of each text go round a fourth time.
    void depth_follows_the_look_ups() {
        const auto outcomes = ask("hops-expert-r4");
        constexpr std::array<int, kHops + 1> kPasses{0, 1, 2, 4, 3};
        for (std::size_t hops = 1; hops <= kHops; ++hops)
            QVERIFY2(std::abs(outcomes[hops].mean_depth() - kPasses[hops]) < 0.25,
                     qPrintable(QString("%1 look-ups: depth %2").arg(hops).arg(outcomes[hops].mean_depth())));
    }

    void one_pass_is_not_enough_for_long_chains() {
        const auto outcomes = ask("hops-expert-r4", 1);
        QVERIFY(outcomes[1].share() >= 0.85 && outcomes[2].share() >= 0.85);
        QVERIFY(outcomes[3].share() <= 0.7 && outcomes[4].share() <= 0.7);
    }
};

QTEST_GUILESS_MAIN(HopsTest)
#include "tst_hops.moc"
