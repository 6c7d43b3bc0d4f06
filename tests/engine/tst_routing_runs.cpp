// SPDX-License-Identifier: Apache-2.0
// Routing that is changed at run time, over whole runs: thresholds, heads, fixed and forced depths, KV policies.
#include <QtTest>

#include <numeric>

#include "engine/backends.hpp"
#include "engine/reference_set.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"
#include "mor/trace.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

constexpr int kTokens = 48;

std::vector<int> some_tokens(int n) {
    std::vector<int> ids(n);
    for (int i = 0; i < n; ++i) ids[i] = (i * 37 + i * i % 13 + 11) % 128;
    return ids;
}

bool taken(const FinishedToken& t, int r) { return t.record.recursions[r].outcome == Outcome::Take; }

std::int64_t total_depth(const std::vector<FinishedToken>& tokens) {
    return std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0},
                           [](std::int64_t sum, const FinishedToken& t) { return sum + t.record.depth; });
}

void same_logits(const std::vector<FinishedToken>& a, const std::vector<FinishedToken>& b, int tokens) {
    for (int t = 0; t < tokens; ++t) QCOMPARE(a[t].logits, b[t].logits);
}

bool any_differs(const std::vector<FinishedToken>& a, const std::vector<FinishedToken>& b, int from) {
    for (std::size_t t = from; t < a.size(); ++t)
        if (a[t].logits != b[t].logits) return true;
    return false;
}

}  // namespace

class RoutingRuns : public QObject {
    Q_OBJECT

public:
    explicit RoutingRuns(std::string device) : device_(std::move(device)) {}

private:
    std::string device_;

    std::shared_ptr<const Model> load(const std::string& name) const {
        return Model::load(reference_directory(name), settings_of(device_));
    }

    /// Token by token (the number of rows in a pass may change rounding), except under TopK, which needs the whole prompt.
    std::vector<FinishedToken> read(const std::string& name, RoutingSettings routing, KvSettings kv = {}) const {
        Session session(load(name), kv);
        const int chunk = routing.rule == SelectionRule::TopK ? 0 : 1;
        return session.prefill({.prompt = some_tokens(kTokens),
                                .max_tokens = 0,
                                .routing = std::move(routing),
                                .prefill_chunk = chunk,
                                .keep_tensors = true});
    }

private slots:
    void a_fixed_depth_is_everybodys_depth_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("depth");
        for (const char* name : {"mor_expert_mc", "mor_expert_cycle", "mor_expert_mc_kvshare", "mor_expert_mc_auxrouter"})
            for (int d = 0; d <= 3; ++d) QTest::addRow("%s/%d", name, d) << name << d;
        for (const char* name : {"mor_token_mc_softmax", "mor_token_mc_kvshare"})
            for (int d = 1; d <= 3; ++d) QTest::addRow("%s/%d", name, d) << name << d;
    }

    void a_fixed_depth_is_everybodys_depth() {
        QFETCH(QString, name);
        QFETCH(int, depth);
        for (const SelectionRule rule : {SelectionRule::Threshold, SelectionRule::TopK})
            for (const auto& t : read(name.toStdString(), {.rule = rule, .fixed_depth = depth}))
                QCOMPARE(t.record.depth, depth);
    }

    void full_depth_equals_a_threshold_that_takes_everybody() {
        const auto fixed = read("mor_expert_mc", {.fixed_depth = 3}), all = read("mor_expert_mc", {.threshold = 1e-30});
        QCOMPARE(total_depth(all), std::int64_t{3 * kTokens});
        same_logits(fixed, all, kTokens);
    }

    void a_forced_depth_changes_nothing_before_it_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"mor_expert_mc", "mor_expert_cycle", "mor_expert_mc_kvshare", "mor_token_mc_softmax"})
            QTest::newRow(name) << name;
    }

    void a_forced_depth_changes_nothing_before_it() {
        QFETCH(QString, name);
        constexpr int kForced = 20;
        const auto free = read(name.toStdString(), {});
        const int depth = free[kForced].record.depth == 3 ? 1 : 3;
        const auto forced = read(name.toStdString(), {.forced_depth = {{kForced, depth}}});
        same_logits(free, forced, kForced);
        if (QTest::currentTestFailed()) return;
        QCOMPARE(forced[kForced].record.depth, depth);
        // What the router said about the token does not change, only what was made of it.
        QCOMPARE(forced[kForced].record.recursions[0].logit, free[kForced].record.recursions[0].logit);
        QVERIFY(forced[kForced].logits != free[kForced].logits);
        QVERIFY(any_differs(free, forced, kForced + 1));  // it is seen by what follows
    }

    void forcing_what_happens_anyway_changes_nothing() {
        const auto free = read("mor_expert_mc", {});
        RoutingSettings same;
        for (const auto& t : free) same.forced_depth[t.record.position] = t.record.depth;
        same_logits(free, read("mor_expert_mc", same), kTokens);
    }

    void a_higher_threshold_takes_fewer() {
        const auto low = read("mor_expert_mc", {.threshold = 0.1}), middle = read("mor_expert_mc", {}),
                   high = read("mor_expert_mc", {.threshold = 0.9});
        for (int t = 0; t < kTokens; ++t) {  // nothing before recursion 0 depends on decisions, so its sets are nested
            QVERIFY(!taken(high[t], 0) || taken(middle[t], 0));
            QVERIFY(!taken(middle[t], 0) || taken(low[t], 0));
        }
        QVERIFY(total_depth(high) < total_depth(middle) && total_depth(middle) < total_depth(low));
    }

    void the_head_chooses_the_router() {
        const std::string name = "mor_expert_mc_auxrouter";
        const auto own = read(name, {}), aux = read(name, {.head = RoutingHead::Auxiliary}),
                   main = read(name, {.head = RoutingHead::Main});
        same_logits(own, aux, kTokens);
        for (const auto& t : aux)
            for (const Decision& d : t.record.recursions)
                if (d.outcome != Outcome::NotOffered) QCOMPARE(d.outcome == Outcome::Take, d.aux_logit >= 0);
        for (const auto& t : main)
            for (const Decision& d : t.record.recursions)
                if (d.outcome != Outcome::NotOffered) QCOMPARE(d.outcome == Outcome::Take, d.logit >= 0);
        QVERIFY(total_depth(main) != total_depth(aux));
    }

    void another_kv_policy_runs_and_is_labelled_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("policy");
        for (const char* name :
             {"mor_expert_mc", "mor_expert_cycle", "mor_token_mc_softmax", "rec_cycle", "rec_sequence", "rec_middle_cycle"})
            QTest::newRow(name) << name << int(KvPolicy::RecursiveSharing);
        for (const char* name : {"mor_expert_mc_kvshare", "mor_token_mc_kvshare", "rec_middle_cycle_kvshare"})
            QTest::newRow(name) << name << int(KvPolicy::RecursionWise);
    }

    void another_kv_policy_runs_and_is_labelled() {
        QFETCH(QString, name);
        QFETCH(int, policy);
        const auto model = load(name.toStdString());
        const KvSettings other{.policy = static_cast<KvPolicy>(policy)};
        QVERIFY(model->config().mor.kv_policy != *other.policy);
        QCOMPARE(make_header(model->info(), {}, other, {}).kv_policy, *other.policy);
        QCOMPARE(make_header(model->info(), {}, {}, {}).kv_policy, model->config().mor.kv_policy);
        const auto own = read(name.toStdString(), {}), overridden = read(name.toStdString(), {}, other);
        QVERIFY(any_differs(own, overridden, 0));
        for (const auto& t : overridden)
            for (const float l : t.logits) QVERIFY(std::isfinite(l));
    }

    /// Where only recursion 0 runs, both policies store and read the same entries.
    void the_policies_agree_at_depth_one_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"mor_expert_mc", "mor_expert_mc_kvshare", "mor_token_mc_softmax"})
            QTest::newRow(name) << name;
    }

    void the_policies_agree_at_depth_one() {
        QFETCH(QString, name);
        same_logits(read(name.toStdString(), {.fixed_depth = 1}, {.policy = KvPolicy::RecursionWise}),
                    read(name.toStdString(), {.fixed_depth = 1}, {.policy = KvPolicy::RecursiveSharing}), kTokens);
    }

    void policies_that_cannot_be_are_refused() {
        for (const char* name : {"vanilla", "rec_middle_sequence"})
            QVERIFY_EXCEPTION_THROWN(Session(load(name), {.policy = KvPolicy::RecursiveSharing}), Error);
    }
};

MOR_DEVICE_TEST_MAIN(RoutingRuns, "full_depth_equals_a_threshold_that_takes_everybody", "the_head_chooses_the_router",
                     "forcing_what_happens_anyway_changes_nothing", "the_policies_agree_at_depth_one")
#include "tst_routing_runs.moc"
