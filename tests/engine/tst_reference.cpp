// SPDX-License-Identifier: Apache-2.0
// The engine against the reference vectors: the official forward (TopK) and the causal decoder (Threshold), for every
// configuration of tests/data/reference and tests/data/vectors (or of MOR_REFERENCE_DIR alone), every kernel set this CPU
// has and CUDA, several chunkings, and three requests mixed in one scheduler. Tolerances: tests/data/reference/README.md.
#include <QtTest>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "engine/backends.hpp"
#include "engine/reference_set.hpp"
#include "io/checkpoint.hpp"
#include "mor/session.hpp"
#include "tensor/half.hpp"

namespace fs = std::filesystem;
using namespace mor;
using namespace mor::testing;

namespace {

constexpr float kLogits = 2e-4f;
constexpr float kRouter = 5e-5f;
constexpr int kDecoded = 16;
constexpr int kPrompts = 3;

std::vector<std::string> configurations() {
    std::vector<std::string> names;
    for (const auto& [name, directory] : reference_configurations()) names.push_back(name);
    return names;
}

fs::path directory_of(const QString& name) { return reference_configurations().at(name.toStdString()); }

std::shared_ptr<const Model> load(const fs::path& directory, const std::string& backend) {
    return Model::load(directory, settings_of(backend));
}

/// What runs on a backend. The emulated device is thousands of times slower than a real one, so that the normal run gives
/// it every configuration once and two of the three prompts to nobody but the first chunking.
struct Effort {
    std::vector<int> chunks{0, 1, 5, 16};
    int prompts = kPrompts;
};

Effort effort_for(const std::string& backend) {
    if (!is_cuda(backend) || exhaustive()) return {};
    return {.chunks = {5}, .prompts = 1};
}

/// By configuration and kind of backend, printed at the end as the record of what ran.
std::map<std::string, Differences>& table() {
    static std::map<std::string, Differences> t;
    return t;
}

/// Compares tokens that went through the model with the causal decoder's record of prompt `p`.
void compare_causal(const Golden& golden, int p, const ModelConfig& config, const std::vector<FinishedToken>& tokens,
                    Differences& worst) {
    const std::string suffix = ".p" + std::to_string(p);
    const auto ids = golden.ints("tokens" + suffix);
    const auto logits = golden.floats("logits" + suffix);
    const auto final_hidden = golden.floats("hidden" + suffix + ".final");
    const int recursions = config.mor.routing == Routing::None ? 0 : config.mor.num_recursion;
    QCOMPARE(tokens.size(), ids.size() - 1);
    const int vocab = config.llama.vocab_size, hidden = config.llama.hidden_size;
    const auto active = recursions ? golden.ints("active" + suffix) : std::vector<int>{};
    const auto depth = recursions ? golden.ints("depth" + suffix) : std::vector<int>{};
    const auto router = recursions ? golden.floats("router" + suffix) : std::vector<float>{};
    const auto weight = recursions ? golden.floats("weight" + suffix) : std::vector<float>{};
    const auto aux = golden.has("aux_router" + suffix) ? golden.floats("aux_router" + suffix) : std::vector<float>{};
    for (int t = 0; t < static_cast<int>(tokens.size()); ++t) {
        const FinishedToken& token = tokens[t];
        QCOMPARE(token.record.position, t);
        QCOMPARE(token.record.token, ids[t]);
        worst.logits = std::max(worst.logits, difference(token.logits, line(logits, t, vocab)));
        worst.hidden = std::max(worst.hidden, state_difference(token.final_hidden, line(final_hidden, t, hidden)));
        const auto best = std::max_element(token.logits.begin(), token.logits.end()) - token.logits.begin();
        if (!token.record.prompt || t + 1 == static_cast<int>(tokens.size())) QCOMPARE(static_cast<int>(best), ids[t + 1]);
        if (recursions == 0) continue;
        QCOMPARE(token.record.depth, depth[t]);
        QCOMPARE(static_cast<int>(token.record.recursions.size()), recursions);
        for (int r = 0; r < recursions; ++r) {
            const Decision& d = token.record.recursions[r];
            QCOMPARE(d.outcome == Outcome::Take, active[t * recursions + r] == 1);
            QCOMPARE(std::isnan(d.logit), std::isnan(router[t * recursions + r]));
            worst.router = std::max(worst.router, difference({&d.logit, 1}, line(router, t * recursions + r, 1)));
            worst.gate = std::max(worst.gate, difference({&d.gate, 1}, line(weight, t * recursions + r, 1)));
            if (!aux.empty())
                worst.router = std::max(worst.router, difference({&d.aux_logit, 1}, line(aux, t * recursions + r, 1)));
            const auto state = golden.floats("hidden" + suffix + ".r" + std::to_string(r));
            worst.hidden = std::max(worst.hidden, state_difference(token.hidden[r], line(state, t, hidden)));
        }
    }
}

void compare_kv(const Golden& golden, int p, const char* when, const KvReport& kv) {
    const std::string prefix = "kv.p" + std::to_string(p) + "." + when + ".";
    QCOMPARE(kv.slot_recursion, golden.ints("kv.slot_recursion"));
    QCOMPARE(kv.slot_tokens, golden.ints(prefix + "slot_tokens"));
    std::int64_t total = 0;
    for (const auto bytes : kv.use.used) total += bytes;
    QCOMPARE(total, std::int64_t{golden.ints(prefix + "total_bytes").front()});
    if (!golden.has(prefix + "rec_bytes")) return;
    QCOMPARE(kv.recursion_tokens, golden.ints(prefix + "rec_tokens"));
    const auto bytes = golden.ints(prefix + "rec_bytes");
    for (std::size_t r = 0; r < bytes.size(); ++r) QCOMPARE(kv.use.used[r + 1], std::int64_t{bytes[r]});
}

Request causal_request(const Golden& official, int p, int chunk) {
    return {.prompt = official.ints("input_ids.p" + std::to_string(p)),
            .max_tokens = kDecoded - 1,  // the last greedy token is compared through the logits before it
            .ignore_eos = true,
            .prefill_chunk = chunk,
            .keep_tensors = true};
}

void check(const Differences& worst) {
    QVERIFY2(worst.logits <= kLogits, qPrintable(QString("logits differ by %1").arg(worst.logits)));
    QVERIFY2(worst.router <= kRouter, qPrintable(QString("router logits differ by %1").arg(worst.router)));
    QVERIFY2(worst.hidden <= kLogits, qPrintable(QString("hidden states differ by %1").arg(worst.hidden)));
    QVERIFY2(worst.gate <= kRouter, qPrintable(QString("gates differ by %1").arg(worst.gate)));
}

}  // namespace

class Reference : public QObject {
    Q_OBJECT

private slots:
    void has_the_configurations_this_engine_promises() {
        if (qEnvironmentVariableIsSet("MOR_REFERENCE_DIR")) QSKIP("another reference set has its own configurations");
        const auto names = configurations();
        for (const char* name : {"vanilla",
                                 "rec_cycle",
                                 "rec_sequence",
                                 "rec_middle_cycle",
                                 "rec_middle_sequence",
                                 "rec_middle_cycle_kvshare",
                                 "mor_expert_cycle",
                                 "mor_expert_mc",
                                 "mor_expert_mc_auxrouter",
                                 "mor_expert_mc_kvshare",
                                 "mor_expert_mc_mlp",
                                 "mor_expert_mc_untied",
                                 "mor_token_mc_kvshare",
                                 "mor_token_mc_lossfree",
                                 "mor_token_mc_mlp",
                                 "mor_token_mc_sigmoid",
                                 "mor_token_mc_softmax",
                                 "expert_wide_mlp",
                                 "expert_tanh",
                                 "expert_null_func",
                                 "expert_ungated",
                                 "expert_temp",
                                 "expert_f16",
                                 "expert_bf16",
                                 "expert_r4_null_capacity",
                                 "expert_auxrouter_kvshare",
                                 "expert_cycle_one_layer",
                                 "expert_cycle_kvshare_mlp",
                                 "token_ungated",
                                 "token_sigmoid_temp",
                                 "token_wide_mlp_bf16",
                                 "token_r2_kvshare",
                                 "rec_cycle_f16",
                                 "vanilla_bf16"})
            QVERIFY2(std::find(names.begin(), names.end(), name) != names.end(), name);
    }

    void causal_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("backend");
        QTest::addColumn<int>("chunk");
        for (const auto& name : configurations())
            for (const auto& backend : backend_names())
                for (const int chunk : effort_for(backend).chunks)
                    QTest::addRow("%s/%s/chunk %d", name.c_str(), backend.c_str(), chunk)
                        << QString::fromStdString(name) << QString::fromStdString(backend) << chunk;
    }

    void causal() {
        QFETCH(QString, name);
        QFETCH(QString, backend);
        QFETCH(int, chunk);
        const fs::path dir = directory_of(name);
        const Golden official(dir / "golden.safetensors"), golden(dir / "golden_causal.safetensors");
        const auto model = load(directory_of(name), backend.toStdString());
        Session session(model, {.block_entries = 7});
        Differences worst;
        for (int p = 0; p < effort_for(backend.toStdString()).prompts; ++p) {
            auto tokens = session.prefill(causal_request(official, p, chunk));
            compare_kv(golden, p, "prefill", session.kv());
            while (auto token = session.step()) tokens.push_back(std::move(*token));
            compare_kv(golden, p, "end", session.kv());
            QCOMPARE(tokens.back().record.finish, Finish::MaxTokens);
            compare_causal(golden, p, model->config(), tokens, worst);
            if (QTest::currentTestFailed()) return;
        }
        record(name, backend, "Threshold", worst);
        check(worst);
    }

    void mixed_requests_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        for (const auto& name : configurations())
            for (const auto& device : device_names())
                if (!is_cuda(device) || exhaustive() || mixed_on_emulation(name))
                    QTest::addRow("%s/%s", name.c_str(), device.c_str())
                        << QString::fromStdString(name) << QString::fromStdString(device);
    }

    /// Three prompts at once, in chunks of different sizes, must come out as if each were alone.
    void mixed_requests() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const fs::path dir = directory_of(name);
        const Golden official(dir / "golden.safetensors"), golden(dir / "golden_causal.safetensors");
        const auto model = load(directory_of(name), device.toStdString());
        Scheduler scheduler(model, {.max_requests = kPrompts});
        const int chunks[kPrompts] = {1, 3, 11};
        for (int p = 0; p < kPrompts; ++p) QCOMPARE(scheduler.submit(causal_request(official, p, chunks[p])), p);
        std::vector<FinishedToken> tokens[kPrompts];
        bool shared_pass = false, mixed_recursions = false;
        while (!scheduler.idle()) {
            Events events = scheduler.advance();
            std::set<int> requests, recursions;
            for (const PassRow& row : events.pass.rows) {
                requests.insert(row.request);
                if (row.decision.outcome == Outcome::Take) recursions.insert(row.recursion);
            }
            shared_pass |= requests.size() > 1;
            mixed_recursions |= recursions.size() > 1;
            for (auto& t : events.tokens) tokens[t.record.request].push_back(std::move(t));
        }
        Differences worst;
        for (int p = 0; p < kPrompts; ++p) {
            compare_causal(golden, p, model->config(), tokens[p], worst);
            compare_kv(golden, p, "end", scheduler.kv(p));
            if (QTest::currentTestFailed()) return;
        }
        record(name, device, "mixed", worst);
        check(worst);
        QVERIFY(shared_pass);
        const MorConfig& m = model->config().mor;
        int least = 1 << 30, segments = 0;
        for (const SegmentInfo& s : model->info().segments)
            if (s.routed) least = std::min(least, s.weights), ++segments;
        const bool tied = std::count_if(model->info().segments.begin(), model->info().segments.end(),
                                        [&](const SegmentInfo& s) { return s.routed && s.weights == least; }) == segments;
        if (m.routing != Routing::ExpertChoice) return;
        QVERIFY(tied || !mixed_recursions);  // other weights must never share a pass
        ++(mixed_recursions ? mixed_ : unmixed_);
    }

    /// Whether recursions meet in a pass depends on the texts' depths, so it is asked of all configurations together.
    void recursions_with_equal_weights_share_passes() {
        if (mixed_ + unmixed_ == 0) QSKIP("mixed_requests did not run");
        QVERIFY2(mixed_ > unmixed_, qPrintable(QString("%1 of %2").arg(mixed_).arg(mixed_ + unmixed_)));
    }

    void official_topk_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("backend");
        for (const auto& name : configurations())
            for (const auto& backend : backend_names())
                QTest::addRow("%s/%s", name.c_str(), backend.c_str())
                    << QString::fromStdString(name) << QString::fromStdString(backend);
    }

    void official_topk() {
        QFETCH(QString, name);
        QFETCH(QString, backend);
        const Golden golden(directory_of(name) / "golden.safetensors");
        const auto model = load(directory_of(name), backend.toStdString());
        const ModelConfig& config = model->config();
        const bool expert = config.mor.routing == Routing::ExpertChoice;
        Session session(model);
        Differences worst;
        for (int p = 0; p < effort_for(backend.toStdString()).prompts; ++p) {
            const std::string suffix = ".p" + std::to_string(p);
            const auto ids = golden.ints("input_ids" + suffix);
            const auto tokens = session.prefill(
                {.prompt = ids, .max_tokens = 0, .routing = {.rule = SelectionRule::TopK}, .keep_tensors = true});
            QCOMPARE(tokens.size(), ids.size());
            compare_final_norm(golden, suffix, tokens, *model, worst);
            const auto logits = golden.floats("logits" + suffix);
            for (std::size_t t = 0; t < tokens.size(); ++t)
                worst.logits = std::max(
                    worst.logits, difference(tokens[t].logits, line(logits, static_cast<int>(t), config.llama.vocab_size)));
            for (int r = 0; expert && r < config.mor.num_recursion; ++r)
                compare_selection(golden, suffix, r, tokens, config, worst);
            if (config.mor.routing == Routing::TokenChoice) compare_choice(golden, suffix, tokens, config, worst);
            if (QTest::currentTestFailed()) return;
        }
        record(name, backend, "TopK", worst);
        check(worst);
    }

    void every_configuration_ran_on_every_backend() {
        if (QCoreApplication::arguments().size() > 1) QSKIP("only some checks were asked for");
        for (const auto& name : configurations())
            for (const auto& device : device_names())
                for (const char* rule : {"Threshold", "TopK"})
                    QVERIFY2(table().count(row_name(name, device, rule)), row_name(name, device, rule).c_str());
    }

    void cleanupTestCase() {
        qInfo("largest differences             logits    router    hidden      gate");
        for (const auto& [row, d] : table())
            qInfo("%-42s %.1e  %.1e  %.1e  %.1e", row.c_str(), double{d.logits}, double{d.router}, double{d.hidden},
                  double{d.gate});
        QString names;
        for (const auto& name : backend_names()) names += QString::fromStdString(name) + " ";
        qInfo("backends that ran: %s", qPrintable(names));
    }

private:
    static std::string row_name(const std::string& configuration, const std::string& device, const std::string& rule) {
        return configuration + " " + device + " " + rule;
    }
    /// Kernel sets of the CPU share a line.
    static void record(const QString& configuration, const QString& backend, const char* rule, const Differences& worst) {
        const std::string device = is_cuda(backend.toStdString()) ? cuda_name() : "cpu";
        table()[row_name(configuration.toStdString(), device, rule)].merge(worst);
    }
    static bool mixed_on_emulation(const std::string& configuration) {
        return configuration == "mor_expert_mc" || configuration == "mor_token_mc_kvshare" ||
               configuration == "rec_sequence";
    }

    int mixed_ = 0, unmixed_ = 0;  ///< expert-choice configurations in which recursions did and did not share a pass

    /// The engine keeps states before the last norm, the official file has them after it.
    static void compare_final_norm(const Golden& golden, const std::string& suffix,
                                   const std::vector<FinishedToken>& tokens, const Model& model, Differences& worst) {
        const auto expected = golden.floats("hidden" + suffix + ".final_norm");
        const auto scale = norm_weights(model.info().directory);
        const int hidden = model.config().llama.hidden_size;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            std::vector<float> x = tokens[t].final_hidden;
            double squares = 0;
            for (const float v : x) squares += double{v} * v;
            const double factor = 1.0 / std::sqrt(squares / hidden + double{model.config().llama.rms_norm_eps});
            for (int i = 0; i < hidden; ++i) x[i] = static_cast<float>(scale[i] * (x[i] * factor));
            worst.hidden = std::max(worst.hidden, state_difference(x, line(expected, static_cast<int>(t), hidden)));
        }
    }

    static std::vector<float> norm_weights(const fs::path& directory) {
        const Checkpoint checkpoint(directory);
        const TensorView& view = *checkpoint.find("model.norm.weight");
        std::vector<float> values(static_cast<std::size_t>(view.elements()));
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::uint16_t half = 0;
            if (view.dtype == DType::F32)
                std::memcpy(&values[i], view.data + 4 * i, 4);
            else
                std::memcpy(&half, view.data + 2 * i, 2);
            if (view.dtype == DType::F16) values[i] = f16_to_f32(half);
            if (view.dtype == DType::BF16) values[i] = bf16_to_f32(half);
        }
        return values;
    }

    static void compare_selection(const Golden& golden, const std::string& suffix, int r,
                                  const std::vector<FinishedToken>& tokens, const ModelConfig& config, Differences& worst) {
        const std::string prefix = "router" + suffix + ".r" + std::to_string(r) + ".";
        std::vector<int> candidates, selected;
        std::vector<float> logits, gates, aux;
        for (const FinishedToken& t : tokens) {
            const Decision& d = t.record.recursions[r];
            if (d.outcome == Outcome::NotOffered) continue;
            candidates.push_back(t.record.position);
            logits.push_back(d.logit);
            aux.push_back(d.aux_logit);
            if (d.outcome != Outcome::Take) continue;
            selected.push_back(t.record.position);
            gates.push_back(d.gate);
        }
        QCOMPARE(candidates, golden.ints(prefix + "candidates"));
        QCOMPARE(selected, golden.ints(prefix + "selected"));
        worst.router = std::max(worst.router, difference(logits, golden.floats(prefix + "logits")));
        worst.gate = std::max(worst.gate, difference(gates, golden.floats(prefix + "weights")));
        if (golden.has(prefix + "aux_logits"))
            worst.router = std::max(worst.router, difference(aux, golden.floats(prefix + "aux_logits")));
        const int module =
            (config.mor.sharing == Sharing::MiddleCycle ? 1 : 0) + r;  // its output is the state after recursion r
        const auto states = golden.floats("hidden" + suffix + ".layer" + std::to_string(module));
        for (const FinishedToken& t : tokens)
            worst.hidden = std::max(
                worst.hidden, state_difference(t.hidden[r], line(states, t.record.position, config.llama.hidden_size)));
    }

    static void compare_choice(const Golden& golden, const std::string& suffix, const std::vector<FinishedToken>& tokens,
                               const ModelConfig& config, Differences& worst) {
        const auto logits = golden.floats("router" + suffix + ".logits"),
                   gates = golden.floats("router" + suffix + ".weights");
        const auto depth = golden.ints("router" + suffix + ".depth");
        const int recursions = config.mor.num_recursion;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            const TokenRecord& record = tokens[t].record;
            QCOMPARE(record.depth, depth[t] + 1);
            for (int r = 0; r < recursions; ++r)
                worst.router = std::max(worst.router, difference({&record.recursions[r].logit, 1},
                                                                 line(logits, static_cast<int>(t) * recursions + r, 1)));
            worst.gate = std::max(worst.gate,
                                  difference({&record.recursions[depth[t]].gate, 1}, line(gates, static_cast<int>(t), 1)));
        }
    }
};

MOR_BACKEND_TEST_MAIN(Reference)
#include "tst_reference.moc"
