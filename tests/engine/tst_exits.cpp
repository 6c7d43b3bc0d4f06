// SPDX-License-Identifier: Apache-2.0
// Exits per recursion: at the token's own depth an exit says what the model says, and at every other depth what the
// model says when that token is forced to stop there.
#include <QtTest>

#include <cmath>
#include <filesystem>

#include "engine/backends.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"

namespace fs = std::filesystem;
using namespace mor;
using namespace mor::testing;

namespace {

constexpr float kTolerance = 2e-4f;

std::shared_ptr<const Model> load(const QString& name, const QString& device = gpu_run() ? cuda_name() : "cpu") {
    return Model::load(fs::path(MOR_TEST_DATA) / "reference" / name.toStdString(), settings_of(device.toStdString(), 1));
}

Request request(int max_tokens, int chunk) {
    // a low threshold, so that many tokens go deep
    Request r{.max_tokens = max_tokens,
              .ignore_eos = true,
              .routing = {.threshold = 0.2},
              .prefill_chunk = chunk,
              .alternatives = 128};
    for (int i = 0; i < 21; ++i) r.prompt.push_back((i * 29 + 7) % 128);
    return r;
}

std::vector<FinishedToken> run(const std::shared_ptr<const Model>& model, const Request& r) {
    Session session(model, {.block_entries = 5});
    auto tokens = session.prefill(r);
    while (auto t = session.step()) tokens.push_back(std::move(*t));
    return tokens;
}

/// Largest difference of the log-probabilities of all tokens.
float difference(const std::vector<Alternative>& top, std::span<const float> logits) {
    double sum = 0;
    for (const float l : logits) sum += std::exp(double{l});
    float largest = top.size() == logits.size() ? 0.0f : INFINITY;
    for (const Alternative& a : top)
        largest = std::max(largest, std::abs(a.logprob - static_cast<float>(double{logits[a.token]} - std::log(sum))));
    return largest;
}

}  // namespace

class Exits : public QObject {
    Q_OBJECT

    /// What the normal run gives to the emulated device; the rest is for packaging/test-cuda.sh.
    static bool on_emulation(const std::string& name) {
        return name == "mor_expert_mc" || name == "mor_token_mc_kvshare" || name == "rec_middle_cycle_kvshare";
    }

private slots:
    void configurations() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("chunk");
        QTest::addColumn<QString>("device");
        for (const char* name :
             {"mor_expert_cycle", "mor_expert_mc", "mor_expert_mc_auxrouter", "mor_expert_mc_kvshare",
              "mor_expert_mc_untied", "mor_token_mc_softmax", "mor_token_mc_sigmoid", "mor_token_mc_lossfree",
              "mor_token_mc_kvshare", "rec_cycle", "rec_middle_cycle", "rec_middle_cycle_kvshare"})
            for (const int chunk : {0, 4})
                for (const auto& device : device_names())
                    if (!is_cuda(device) || exhaustive() || (chunk == 4 && on_emulation(name)))
                        QTest::addRow("%s/chunk %d/%s", name, chunk, device.c_str())
                            << QString(name) << chunk << QString::fromStdString(device);
    }

    void at_the_own_depth_an_exit_says_what_the_model_says_data() { configurations(); }
    void at_the_own_depth_an_exit_says_what_the_model_says() {
        QFETCH(QString, name);
        QFETCH(int, chunk);
        QFETCH(QString, device);
        Request r = request(8, chunk);
        r.exits = r.keep_tensors = true;
        float largest = 0;
        for (const FinishedToken& t : run(load(name, device), r)) {
            QCOMPARE(static_cast<int>(t.record.exits.size()), t.record.depth);
            if (t.record.depth > 0) largest = std::max(largest, difference(t.record.exits.back().top, t.logits));
        }
        QVERIFY2(largest < kTolerance, qPrintable(QString::number(largest)));
    }

    void an_exit_is_what_a_forced_depth_gives_data() { configurations(); }
    void an_exit_is_what_a_forced_depth_gives() {
        QFETCH(QString, name);
        QFETCH(int, chunk);
        QFETCH(QString, device);
        if (name.startsWith("rec_")) {  // nothing is routed, so no depth can be forced; the own depth is tested above
            Request r = request(0, chunk);
            r.routing.forced_depth[3] = 1;
            const auto model = load(name, device);
            QVERIFY_EXCEPTION_THROWN(run(model, r), Error);
            return;
        }
        const auto model = load(name, device);
        Request r = request(0, chunk);
        r.exits = r.keep_tensors = true;
        const auto free = run(model, r);
        float largest = 0;
        int compared = 0;
        const int step = is_cuda(device.toStdString()) && !exhaustive() ? 5 : 1;  // each position is a run of its own
        for (int position = 0; position < 21; position += step)
            for (int depth = 1; depth <= free[position].record.depth; ++depth) {
                Request forced = r;
                forced.routing.forced_depth[position] = depth;
                const auto tokens = run(model, forced);
                QCOMPARE(tokens[position].record.depth, depth);
                // Another depth changes the gate of a token-choice model, which is exactly what an exit shows.
                largest =
                    std::max(largest, difference(free[position].record.exits[depth - 1].top, tokens[position].logits));
                ++compared;
            }
        QVERIFY(compared >= (step > 1 ? 2 : 5));
        QVERIFY2(largest < kTolerance, qPrintable(QString::number(largest)));
    }

    void asking_for_exits_changes_nothing_else() {
        const auto model = load("mor_expert_mc");
        Request r = request(10, 6);
        r.keep_tensors = true;
        const auto without = run(model, r);
        r.exits = true;
        const auto with = run(model, r);
        QCOMPARE(with.size(), without.size());
        for (std::size_t i = 0; i < with.size(); ++i) {
            QCOMPARE(with[i].logits, without[i].logits);
            QCOMPARE(with[i].record.kv.used, without[i].record.kv.used);
        }
    }

    void models_without_such_states_refuse_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"vanilla", "rec_sequence", "rec_middle_sequence"}) QTest::newRow(name) << QString(name);
    }
    void models_without_such_states_refuse() {
        QFETCH(QString, name);
        Request r = request(0, 0);
        r.exits = true;
        const auto model = load(name);
        QVERIFY_EXCEPTION_THROWN(run(model, r), Error);
    }
};

MOR_BACKEND_TEST_MAIN(Exits)
#include "tst_exits.moc"
