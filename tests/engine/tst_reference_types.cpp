// SPDX-License-Identifier: Apache-2.0
// 16-bit K/V and bf16 products against the float32 reference. Every text is read with the reference's own depths forced,
// so that all numbers stay comparable; what the routers would have decided is compared on its own, where the reference's
// margin exceeds what the type may cost.
//
// Logits are bounded in the root mean square over a prompt's tokens (f16 5e-3, bf16 5e-2). A single logit of these random
// models moves by up to ten times as much, and must: the PyTorch model with K and V rounded to the type moves the same
// ones by the same amounts (0.28 for rec_middle_cycle_kvshare in bf16, 0.038 for rec_middle_sequence in f16).
#include <QtTest>

#include "engine/backends.hpp"
#include "engine/reference_set.hpp"
#include "mor/session.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

constexpr int kPrompts = 3;

/// What a type is allowed to cost: in logits, and the margin below which a decision may turn.
struct Allowed {
    float root_mean_square = 0, largest = 0, margin = 0;
};

Allowed allowed_for(DType type) { return type == DType::F16 ? Allowed{5e-3f, 5e-2f, 0.0f} : Allowed{5e-2f, 0.5f, 0.05f}; }

/// One prompt's causal record, as far as it is compared.
struct Record {
    Record(const Golden& golden, int p, bool routed) {
        const std::string suffix = ".p" + std::to_string(p);
        tokens = golden.ints("tokens" + suffix);
        tokens.pop_back();
        logits = golden.floats("logits" + suffix);
        if (!routed) return;
        depth = golden.ints("depth" + suffix);
        router = golden.floats((golden.has("aux_router" + suffix) ? "aux_router" : "router") + suffix);
    }
    std::vector<int> tokens, depth;
    std::vector<float> logits, router;  ///< router: the deciding one
};

/// Margin of the reference's own depth of a token under token choice, in the unit of the scores; recomputed from the
/// scores that float32 gave, so that no formula is repeated here.
float lead(const std::vector<Decision>& decisions) {
    float best = -INFINITY, second = -INFINITY;
    for (const Decision& d : decisions) {
        second = std::max(second, std::min(best, d.score));
        best = std::max(best, d.score);
    }
    return best - second;
}

int most_probable(const std::vector<Decision>& decisions) {
    const auto best = std::max_element(decisions.begin(), decisions.end(),
                                       [](const Decision& a, const Decision& b) { return a.score < b.score; });
    return static_cast<int>(best - decisions.begin()) + 1;
}

std::vector<FinishedToken> read(const std::string& device, const std::filesystem::path& directory, const Record& record,
                                DType kv, DType compute) {
    const auto model = Model::load(directory, settings_of(device, 2, compute));
    Session session(model, {.type = kv});
    Request request{.prompt = record.tokens, .max_tokens = 0, .keep_tensors = true};
    for (std::size_t t = 0; t < record.depth.size(); ++t)
        request.routing.forced_depth[static_cast<int>(t)] = record.depth[t];
    return session.prefill(std::move(request));
}

}  // namespace

class ReferenceTypes : public QObject {
    Q_OBJECT

private slots:
    void cost_what_they_may_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("kv");
        QTest::addColumn<int>("compute");
        QTest::addColumn<QString>("device");
        for (const auto& [name, directory] : reference_configurations())
            for (const auto& device : device_names()) {
                const QString n = QString::fromStdString(name), d = QString::fromStdString(device);
                const char *row = name.c_str(), *on = device.c_str();
                if (n.endsWith("bf16"))  // products in bf16 need weights in bf16
                    QTest::addRow("%s/bf16 compute/%s", row, on) << n << int(DType::F32) << int(DType::BF16) << d;
                if (is_cuda(device) && !exhaustive() && !on_emulation(name)) continue;
                QTest::addRow("%s/f16 kv/%s", row, on) << n << int(DType::F16) << int(DType::F32) << d;
                QTest::addRow("%s/bf16 kv/%s", row, on) << n << int(DType::BF16) << int(DType::F32) << d;
            }
    }

    void cost_what_they_may() {
        QFETCH(QString, name);
        QFETCH(int, kv);
        QFETCH(int, compute);
        QFETCH(QString, device);
        const auto directory = reference_configurations().at(name.toStdString());
        const ModelConfig config = read_config(directory);
        const Golden golden(directory / "golden_causal.safetensors");
        const auto kv_type = static_cast<DType>(kv), compute_type = static_cast<DType>(compute);
        const Allowed allowed = allowed_for(kv_type == DType::F32 ? compute_type : kv_type);
        float largest = 0, root_mean_square = 0;
        int decisions = 0;
        const int prompts = is_cuda(device.toStdString()) && !exhaustive() ? 1 : kPrompts;
        for (int p = 0; p < prompts; ++p) {
            const Record record(golden, p, config.mor.routing != Routing::None);
            const auto tokens = read(device.toStdString(), directory, record, kv_type, compute_type);
            const auto exact = read(gpu_run() ? cuda_name() : "cpu", directory, record, DType::F32, DType::F32);
            QCOMPARE(tokens.size(), record.tokens.size());
            double squares = 0;
            for (int t = 0; t < static_cast<int>(tokens.size()); ++t) {
                const auto expected = line(record.logits, t, config.llama.vocab_size);
                largest = std::max(largest, difference(tokens[t].logits, expected));
                for (std::size_t v = 0; v < expected.size(); ++v)
                    squares += std::pow(double{tokens[t].logits[v]} - expected[v], 2);
                if (config.mor.routing == Routing::ExpertChoice)
                    decisions += compare_expert(tokens[t].record, record, t, allowed.margin);
                if (config.mor.routing == Routing::TokenChoice &&
                    lead(exact[t].record.recursions) > allowed.margin * static_cast<float>(config.mor.alpha)) {
                    QCOMPARE(most_probable(tokens[t].record.recursions), record.depth[t]);
                    ++decisions;
                }
                if (QTest::currentTestFailed()) return;
            }
            const auto mean_square = squares / static_cast<double>(record.logits.size());
            root_mean_square = std::max(root_mean_square, static_cast<float>(std::sqrt(mean_square)));
        }
        qInfo("%-28s logits: root mean square %.1e, largest %.1e; %d decisions equal", QTest::currentDataTag(),
              double{root_mean_square}, double{largest}, decisions);
        QVERIFY2(root_mean_square <= allowed.root_mean_square, qPrintable(QString::number(root_mean_square)));
        QVERIFY2(largest <= allowed.largest, qPrintable(QString("a logit differs by %1").arg(largest)));
        QVERIFY2(root_mean_square > 0, "the type was not in force");
        if (config.mor.routing != Routing::None) QVERIFY(decisions > (prompts > 1 ? 50 : 5));
    }

private:
    /// What the normal run gives to the emulated device; the rest is for packaging/test-cuda.sh.
    static bool on_emulation(const std::string& name) {
        return name == "mor_expert_mc_kvshare" || name == "mor_token_mc_softmax" || name == "rec_sequence";
    }

    /// The deciding logit of every recursion offered must lie on the reference's side. Returns how many were compared.
    static int compare_expert(const TokenRecord& token, const Record& record, int t, float margin) {
        int compared = 0;
        const int recursions = static_cast<int>(token.recursions.size());
        for (int r = 0; r < std::min(recursions, record.depth[t] + 1); ++r) {
            const float reference = record.router[t * recursions + r];
            if (std::abs(reference) <= margin) continue;
            const bool take = token.recursions[r].score >= 0.5f, expected = r < record.depth[t];
            [&] { QCOMPARE(take, expected); }();
            ++compared;
        }
        return compared;
    }
};

MOR_BACKEND_TEST_MAIN(ReferenceTypes)
#include "tst_reference_types.moc"
