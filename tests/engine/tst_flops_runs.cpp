// SPDX-License-Identifier: Apache-2.0
// The FLOPs and K/V bytes that records claim against the rows, entries and bytes that the backend was really asked for,
// over whole runs, under both KV policies.
#include <QtTest>

#include <numeric>

#include "engine/counting_backend.hpp"
#include "engine/reference_set.hpp"
#include "model/parts.hpp"
#include "mor/session.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

struct Counted {
    explicit Counted(const std::string& name)
        : backend(std::make_shared<CountingBackend>(make_cpu_backend({.threads = 1}))),
          model(load_model(reference_configurations().at(name), backend)) {
        backend->ffn_width = model->config().llama.intermediate_size;
    }
    std::shared_ptr<CountingBackend> backend;
    std::shared_ptr<const Model> model;
};

std::vector<int> some_tokens(int n, int vocab) {
    std::vector<int> ids(n);
    for (int i = 0; i < n; ++i) ids[i] = (i * 37 + 11) % vocab;
    return ids;
}

/// Two per multiply-add, for what the backend was asked for.
std::int64_t flops_of(const CountingBackend::Counts& n, const LlamaConfig& c) {
    const std::int64_t q = std::int64_t{c.num_attention_heads} * c.head_dim;
    const std::int64_t kv = std::int64_t{c.num_key_value_heads} * c.head_dim;
    const std::int64_t products = n.q * c.hidden_size * q + n.kv * c.hidden_size * 2 * kv +  // projections
                                  n.entries_seen * 2 * q +                                   // scores and values
                                  n.out * q * c.hidden_size +                                //
                                  n.ffn * 2 * c.hidden_size * c.intermediate_size +          //
                                  n.down * c.intermediate_size * c.hidden_size +             //
                                  n.router_products + std::int64_t{n.heads} * c.hidden_size * c.vocab_size;
    return 2 * products;
}

std::vector<TokenRecord> run(Session& session, Request request) {
    std::vector<TokenRecord> records;
    for (auto& t : session.prefill(std::move(request))) records.push_back(std::move(t.record));
    while (auto t = session.step()) records.push_back(std::move(t->record));
    return records;
}

}  // namespace

class FlopsRuns : public QObject {
    Q_OBJECT

private slots:
    void records_claim_what_was_computed_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("policy");
        const auto add = [](const char* name, std::initializer_list<KvPolicy> policies) {
            for (const KvPolicy p : policies) QTest::addRow("%s/%s", name, name_of(p)) << name << int(p);
        };
        const auto both = {KvPolicy::RecursionWise, KvPolicy::RecursiveSharing};
        add("vanilla", {KvPolicy::RecursionWise});
        add("rec_middle_sequence", {KvPolicy::RecursionWise});
        for (const char* name :
             {"rec_cycle", "rec_sequence", "rec_middle_cycle", "mor_expert_cycle", "mor_expert_mc", "mor_expert_mc_kvshare",
              "mor_expert_mc_auxrouter", "mor_expert_mc_mlp", "expert_r4_null_capacity", "expert_wide_mlp",
              "expert_cycle_one_layer", "mor_token_mc_softmax", "mor_token_mc_kvshare", "mor_token_mc_mlp"})
            add(name, both);
    }

    void records_claim_what_was_computed() {
        QFETCH(QString, name);
        QFETCH(int, policy);
        Counted c(name.toStdString());
        const LlamaConfig& llama = c.model->config().llama;
        Session session(c.model, {.policy = static_cast<KvPolicy>(policy)});
        const auto records =
            run(session,
                {.prompt = some_tokens(40, llama.vocab_size), .max_tokens = 10, .ignore_eos = true, .prefill_chunk = 16});
        std::int64_t claimed = 0, vanilla = 0;
        for (const TokenRecord& r : records) claimed += r.flops, vanilla += r.flops_vanilla;
        QCOMPARE(claimed, flops_of(c.backend->counts, llama));
        const std::int64_t entries = 50 * 51 / 2;  // the vanilla reference: every layer sees every earlier token
        const std::int64_t q = std::int64_t{llama.num_attention_heads} * llama.head_dim;
        const std::int64_t kv = std::int64_t{llama.num_key_value_heads} * llama.head_dim;
        const std::int64_t per_layer =
            50 * 2 * llama.hidden_size * (2 * q + 2 * kv + 3 * std::int64_t{llama.intermediate_size}) + entries * 4 * q;
        QCOMPARE(vanilla, llama.num_hidden_layers * per_layer + 11 * 2LL * llama.hidden_size * llama.vocab_size);
    }

    /// Layers outside the recursions keep every token; a recursion keeps its own tokens, or recursion 0 everybody's.
    void bytes_are_counted_by_hand_data() { records_claim_what_was_computed_data(); }

    void bytes_are_counted_by_hand() {
        QFETCH(QString, name);
        QFETCH(int, policy);
        Counted c(name.toStdString());
        const ModelConfig& config = c.model->config();
        Session session(c.model, {.policy = static_cast<KvPolicy>(policy), .block_entries = 4});
        const auto records = run(session, {.prompt = some_tokens(30, config.llama.vocab_size), .max_tokens = 6});
        const std::int64_t entry = 2LL * config.llama.num_key_value_heads * config.llama.head_dim * 4;
        const int recursions = config.mor.num_recursion;
        const bool middle = config.mor.sharing == Sharing::MiddleCycle || config.mor.sharing == Sharing::MiddleSequence;
        const int outside = recursions ? (middle ? 2 : 0) : config.llama.num_hidden_layers;
        const int block = recursions ? (config.llama.num_hidden_layers - outside) / recursions : 0;
        const bool sharing = static_cast<KvPolicy>(policy) == KvPolicy::RecursiveSharing;
        std::vector<std::int64_t> taken(recursions);
        std::int64_t tokens = 0;
        for (const TokenRecord& r : records) {
            ++tokens;
            for (int i = 0; i < r.depth; ++i) ++taken[i];
            QCOMPARE(r.kv.used.size(), std::size_t(recursions) + 1);
            QCOMPARE(r.kv.used[0], outside * tokens * entry);
            for (int i = 0; i < recursions; ++i) {
                const std::int64_t kept = !sharing ? taken[i] : i == 0 ? tokens : 0;
                QCOMPARE(r.kv.used[i + 1], block * kept * entry);
            }
            QCOMPARE(r.kv.vanilla, config.llama.num_hidden_layers * tokens * entry);
        }
        const KvReport report = session.kv();
        for (int i = 0; i < recursions; ++i) {  // blocks of four entries, the last one partly filled
            const std::int64_t kept = !sharing ? taken[i] : i == 0 ? tokens : 0;
            QCOMPARE(report.use.reserved[i + 1], block * ((kept + 3) / 4) * 4 * entry);
        }
    }
};

QTEST_GUILESS_MAIN(FlopsRuns)
#include "tst_flops_runs.moc"
