// SPDX-License-Identifier: Apache-2.0
// FLOP counts against cases counted by hand. The model: hidden 8, 2 heads, 1 KV head, head_dim 4, ffn 16, vocab 10.
//   q 2*8*8 = 128, k and v 2*(2*8*4) = 128, out 2*8*8 = 128, ffn 3*(2*8*16) = 768, one visible entry 2*(2*2*4) = 32
//   a layer at n visible entries: 1152 + 32 n; head 2*8*10 = 160; a linear router 2*8 = 16
#include <QtTest>

#include "mor/analysis.hpp"

using namespace mor;

namespace {

ModelConfig config(Sharing sharing, Routing routing, int layers) {
    ModelConfig c;
    c.llama = {.hidden_size = 8,
               .intermediate_size = 16,
               .num_hidden_layers = layers,
               .num_attention_heads = 2,
               .num_key_value_heads = 1,
               .head_dim = 4,
               .vocab_size = 10,
               .max_position_embeddings = 64};
    c.mor.sharing = sharing;
    c.mor.num_recursion = sharing == Sharing::None ? 0 : 3;
    c.mor.routing = routing;
    return c;
}

constexpr std::int64_t layer(int n) { return 1152 + 32 * n; }

std::vector<Decision> way(std::initializer_list<Outcome> outcomes) {
    std::vector<Decision> d;
    for (const Outcome o : outcomes) d.push_back({.outcome = o});
    return d;
}

}  // namespace

class Flops : public QObject {
    Q_OBJECT

private slots:
    void vanilla_spends_its_own_reference() {
        const auto c = count_flops(config(Sharing::None, Routing::None, 6), KvPolicy::RecursionWise, 4, {}, {}, true);
        QCOMPARE(c.spent, 6 * layer(5) + 160);
        QCOMPARE(c.vanilla, c.spent);
    }

    void unrouted_recursions_cost_the_same_without_sharing_and_less_with() {
        const ModelConfig m = config(Sharing::MiddleCycle, Routing::None, 8);
        const auto own = count_flops(m, KvPolicy::RecursionWise, 4, {}, {5, 5, 5}, false);
        QCOMPARE(own.spent, own.vanilla);
        const auto shared = count_flops(m, KvPolicy::RecursiveSharing, 4, {}, {5, 5, 5}, false);
        QCOMPARE(shared.spent, own.spent - 4 * 128);  // two recursions of two layers compute no K and V
    }

    void an_expert_choice_token_pays_for_what_it_takes() {
        const ModelConfig m = config(Sharing::MiddleCycle, Routing::ExpertChoice, 8);
        const auto c = count_flops(m, KvPolicy::RecursionWise, 9, way({Outcome::Take, Outcome::Take, Outcome::Leave}),
                                   {7, 3, 0}, true);
        QCOMPARE(c.spent, 2 * layer(10) + 2 * layer(7) + 2 * layer(3) + 3 * 16 + 160);
        QCOMPARE(c.vanilla, 8 * layer(10) + 160);
        const auto left = count_flops(m, KvPolicy::RecursionWise, 9,
                                      way({Outcome::Leave, Outcome::NotOffered, Outcome::NotOffered}), {0, 0, 0}, false);
        QCOMPARE(left.spent, 2 * layer(10) + 16);
    }

    void a_row_kept_for_its_kv_runs_the_block_up_to_the_last_k_and_v() {
        const ModelConfig m = config(Sharing::MiddleCycle, Routing::ExpertChoice, 8);
        const auto c = count_flops(m, KvPolicy::RecursiveSharing, 9,
                                   way({Outcome::KvOnly, Outcome::NotOffered, Outcome::NotOffered}), {0, 0, 0}, false);
        QCOMPARE(c.spent, 2 * layer(10) + layer(10) + 128 + 16);
        const auto deep = count_flops(m, KvPolicy::RecursiveSharing, 9, way({Outcome::Take, Outcome::Take, Outcome::Take}),
                                      {10, 10, 10}, false);
        QCOMPARE(deep.spent, 2 * layer(10) + 2 * layer(10) + 4 * (layer(10) - 128) + 3 * 16);
    }

    void both_routers_and_an_mlp_router_count() {
        ModelConfig m = config(Sharing::Cycle, Routing::ExpertChoice, 6);
        m.mor.sampling = ExpertSampling::AuxRouter;
        const auto d = way({Outcome::Leave, Outcome::NotOffered, Outcome::NotOffered});
        QCOMPARE(count_flops(m, KvPolicy::RecursionWise, 0, d, {0, 0, 0}, false).spent, 2 * 16);
        QCOMPARE(count_flops(m, KvPolicy::RecursionWise, 0, d, {0, 0, 0}, false, 12).spent, 2 * 12 * (8 + 1) + 16);
        m.mor.sampling = ExpertSampling::AuxLoss;
        QCOMPARE(count_flops(m, KvPolicy::RecursionWise, 0, d, {0, 0, 0}, false, 12).spent, 2 * 12 * (8 + 1));
    }

    void a_token_choice_router_scores_all_depths_once() {
        const ModelConfig m = config(Sharing::MiddleCycle, Routing::TokenChoice, 8);
        const auto c = count_flops(m, KvPolicy::RecursionWise, 1, way({Outcome::Take, Outcome::Leave, Outcome::NotOffered}),
                                   {2, 0, 0}, false);
        QCOMPARE(c.spent, 4 * layer(2) + 2 * 8 * 3);
    }
};

QTEST_GUILESS_MAIN(Flops)
#include "tst_flops.moc"
