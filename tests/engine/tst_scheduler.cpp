// SPDX-License-Identifier: Apache-2.0
// That savings are real: rows counted in each product, blocks counted in the allocator; and that requests can be
// refused, cancelled, continued and starved of memory without harm.
#include <QtTest>

#include <filesystem>
#include <map>
#include <set>

#include "engine/backends.hpp"
#include "engine/counting_backend.hpp"
#include "model/parts.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"

namespace fs = std::filesystem;
using namespace mor;
using namespace mor::testing;

namespace {

fs::path reference(const char* name) { return fs::path(MOR_TEST_DATA) / "reference" / name; }

template <class B>
struct On {
    On(const std::string& device, const char* name)
        : backend(std::make_shared<B>(make_backend(settings_of(device, 1)))), model(load_model(reference(name), backend)) {
        backend->ffn_width = model->config().llama.intermediate_size;
    }
    std::shared_ptr<B> backend;
    std::shared_ptr<const Model> model;
};
using Counted = On<CountingBackend>;

/// A device that breaks in the middle of an operation, when asked to.
class FailingBackend final : public CountingBackend {
public:
    using CountingBackend::CountingBackend;
    std::string fails;  ///< name of the operation that throws, once

    void embed(const Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) override {
        fail("embed");
        CountingBackend::embed(table, ids, rows, x);
    }
    void attention(const LayerShape& s, const float* q, std::span<const KvRow> kv, float* out) override {
        fail("attention");
        CountingBackend::attention(s, q, kv, out);
    }
    void head(const Vector& norm, float eps, const Matrix& w, const float* x, std::span<const int> rows,
              float* logits) override {
        fail("head");
        CountingBackend::head(norm, eps, w, x, rows, logits);
    }

private:
    void fail(const char* operation) {
        if (fails != operation) return;
        fails.clear();
        throw DeviceError(std::string("device lost in ") + operation);
    }
};

std::vector<int> some_tokens(int n) {
    std::vector<int> ids(n);
    for (int i = 0; i < n; ++i) ids[i] = (i * 37 + 11) % 128;
    return ids;
}

/// Rows that took each recursion, and those kept for their K/V alone.
struct Way {
    long taken[3] = {}, kv_only = 0, offered = 0, tokens = 0;
    explicit Way(const std::vector<FinishedToken>& tokens_in) {
        for (const auto& t : tokens_in) {
            ++tokens;
            for (std::size_t r = 0; r < t.record.recursions.size(); ++r) {
                const Outcome o = t.record.recursions[r].outcome;
                taken[r] += o == Outcome::Take;
                kv_only += o == Outcome::KvOnly;
                offered += o != Outcome::NotOffered;
            }
        }
    }
    long all() const { return taken[0] + taken[1] + taken[2]; }
};

std::vector<FinishedToken> run(Session& session, Request request) {
    auto tokens = session.prefill(std::move(request));
    while (auto t = session.step()) tokens.push_back(std::move(*t));
    return tokens;
}

QString message(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        return QString::fromUtf8(e.what());
    }
    return {};
}

}  // namespace

class SchedulerTest : public QObject {
    Q_OBJECT

public:
    explicit SchedulerTest(std::string device) : device_(std::move(device)) {}

private:
    std::string device_;

private slots:
    void rows_that_left_cost_nothing() {
        Counted c(device_, "mor_expert_mc");
        Session session(c.model);
        const auto tokens = run(session, {.prompt = some_tokens(40), .max_tokens = 10, .ignore_eos = true});
        const Way way(tokens);
        QCOMPARE(way.tokens, 50L);
        QVERIFY(way.taken[2] < way.taken[1] && way.taken[1] < way.tokens);  // something was saved at all
        const long layers = 2 * way.tokens + 2 * way.all();  // first and last layer for all, two layers per recursion taken
        const auto& n = c.backend->counts;
        QCOMPARE(n.embedded, way.tokens);
        QCOMPARE(n.routed, way.offered);
        QCOMPARE(n.q, layers);
        QCOMPARE(n.kv, layers);
        QCOMPARE(n.kv_written, layers);
        QCOMPARE(n.attended, layers);
        QCOMPARE(n.out, layers);
        QCOMPARE(n.ffn, layers);
        QCOMPARE(n.down, layers);
        QCOMPARE(n.heads, 11L);  // the last prompt token and ten decoded ones
    }

    void shared_kv_is_computed_once_and_kv_only_rows_stop_early() {
        Counted c(device_, "mor_expert_mc_kvshare");
        Session session(c.model);
        const Way way(run(session, {.prompt = some_tokens(40), .max_tokens = 10, .ignore_eos = true}));
        QCOMPARE(way.taken[0] + way.kv_only, way.tokens);
        const auto& n = c.backend->counts;
        QCOMPARE(n.kv, 2 * way.tokens + 2 * way.tokens);                     // outside, and recursion 0 for everybody
        const long computed = 2 * way.tokens + 2 * way.all() + way.kv_only;  // K/V-only rows run one layer of two
        QCOMPARE(n.q, computed);
        QCOMPARE(n.attended, computed);
        QCOMPARE(n.ffn, computed);
    }

    void reserved_bytes_are_the_allocators() {
        Counted c(device_, "mor_expert_mc");
        const int block = 4;
        Scheduler scheduler(c.model, {.block_entries = block});
        const int id = scheduler.submit({.prompt = some_tokens(30), .max_tokens = 0});
        PassRecord last;
        std::vector<FinishedToken> tokens;
        while (!scheduler.idle()) {
            auto events = scheduler.advance();
            last = events.pass;
            for (auto& t : events.tokens) tokens.push_back(std::move(t));
        }
        const KvReport kv = scheduler.kv(id);
        const Way way(tokens);
        const std::int64_t entry = 2 * 2 * 16 * 4;  // K and V, two heads of 16, float32
        std::int64_t reserved = 0, held = 0;
        for (int r = 0; r < 3; ++r) {
            QCOMPARE(kv.use.used[r + 1], 2 * way.taken[r] * entry);
            const std::int64_t blocks = (way.taken[r] + block - 1) / block;
            QCOMPARE(kv.use.reserved[r + 1], 2 * blocks * block * entry);
            held += blocks;
        }
        held += (30 + block - 1) / block;
        for (const auto bytes : kv.use.reserved) reserved += bytes;
        QCOMPARE(last.kv_blocks_in_use, held);
        QVERIFY(reserved < kv.use.vanilla);
        QCOMPARE(kv.use.vanilla, 30 * 8 * entry);
        scheduler.release(id);
        const int again = scheduler.submit({.prompt = some_tokens(1), .max_tokens = 0});
        while (!scheduler.idle()) last = scheduler.advance().pass;
        QVERIFY(last.kv_blocks_in_use <= 4);  // everything else came back
        QVERIFY(again != id);
    }

    void one_pass_holds_rows_of_different_recursions() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.max_requests = 6});
        for (int i = 0; i < 6; ++i)
            scheduler.submit(
                {.prompt = some_tokens(5 + 3 * i), .max_tokens = 20, .ignore_eos = true, .prefill_chunk = 2 + i});
        int mixed = 0;
        while (!scheduler.idle()) {
            const PassRecord pass = scheduler.advance().pass;
            std::set<int> recursions;
            int taken = 0;
            for (const PassRow& row : pass.rows)
                if (row.decision.outcome == Outcome::Take) recursions.insert(row.recursion), ++taken;
            if (!recursions.empty()) QCOMPARE(pass.computed_rows, taken);
            mixed += recursions.size() > 1;
        }
        QVERIFY(mixed > 0);
    }

    void bad_requests_are_refused_and_do_no_harm_data() {
        QTest::addColumn<std::vector<int>>("prompt");
        QTest::addColumn<QString>("word");
        QTest::newRow("empty") << std::vector<int>{} << "prompt";
        QTest::newRow("negative id") << std::vector<int>{3, -1} << "token 2";
        QTest::newRow("id outside the vocabulary") << std::vector<int>{128} << "127";
        QTest::newRow("longer than the context") << some_tokens(257) << "256";
    }
    void bad_requests_are_refused_and_do_no_harm() {
        QFETCH(std::vector<int>, prompt);
        QFETCH(QString, word);
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model);
        const QString what = message([&] { scheduler.submit({.prompt = prompt}); });
        QVERIFY2(what.contains(word), qPrintable(what));
        QVERIFY(scheduler.idle());
        scheduler.submit({.prompt = some_tokens(3), .max_tokens = 1});
        while (!scheduler.idle()) scheduler.advance();
    }

    void top_k_refuses_to_be_cut() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model);
        const auto what = message([&] {
            scheduler.submit({.prompt = some_tokens(9), .routing = {.rule = SelectionRule::TopK}, .prefill_chunk = 4});
        });
        QVERIFY2(what.contains("TopK"), qPrintable(what));
    }

    void policies_that_cannot_be_are_refused() {
        Counted c(device_, "vanilla");
        const auto what = message([&] { Scheduler(c.model, {.policy = KvPolicy::RecursiveSharing}); });
        QVERIFY2(what.contains("vanilla"), qPrintable(what));
    }

    void generation_ends_at_the_context() {
        Counted c(device_, "mor_expert_mc");
        Session session(c.model);
        const auto tokens = run(session, {.prompt = some_tokens(250), .max_tokens = 100, .ignore_eos = true});
        QCOMPARE(tokens.size(), std::size_t{256});
        QCOMPARE(tokens.back().record.finish, Finish::Context);
    }

    void cancelling_keeps_what_is_finished() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model);
        const int id =
            scheduler.submit({.prompt = some_tokens(20), .max_tokens = 50, .ignore_eos = true, .prefill_chunk = 8});
        std::size_t finished = 0;
        for (int pass = 0; pass < 7; ++pass) finished += scheduler.advance().tokens.size();  // inside the second chunk
        QCOMPARE(finished, std::size_t{8});
        scheduler.cancel(id);
        QVERIFY(scheduler.idle());
        const KvReport kv = scheduler.kv(id);
        QCOMPARE(kv.slot_tokens.front(), 8);
        for (const int n : kv.slot_tokens) QVERIFY(n <= 8);
        QCOMPARE(scheduler.tokens(id).size(), std::size_t{8});
    }

    void a_text_can_be_continued() {
        Counted c(device_, "mor_expert_mc");
        Session whole(c.model), parts(c.model);
        Request request{
            .prompt = some_tokens(6), .max_tokens = 12, .ignore_eos = true, .sampling = {.temperature = 1.0f, .seed = 5}};
        const auto expected = run(whole, request);
        request.max_tokens = 5;
        auto tokens = run(parts, request);
        parts.scheduler().extend(0, 7);
        while (auto t = parts.step()) tokens.push_back(std::move(*t));
        QCOMPARE(tokens.size(), expected.size());
        for (std::size_t i = 0; i < tokens.size(); ++i) QCOMPARE(tokens[i].record.token, expected[i].record.token);
        QCOMPARE(tokens.back().record.finish, Finish::MaxTokens);
    }

    void requests_wait_for_memory_and_all_get_through() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.block_entries = 8, .capacity_tokens = 40});
        for (int i = 0; i < 4; ++i) scheduler.submit({.prompt = some_tokens(20), .max_tokens = 4, .ignore_eos = true});
        std::size_t finished = 0;
        while (!scheduler.idle()) {
            for (const auto& t : scheduler.advance().tokens) {
                ++finished;
                if (t.record.finish != Finish::None) scheduler.release(t.record.request);
            }
        }
        QCOMPARE(finished, std::size_t{4 * 24});
    }

    void a_request_that_can_never_fit_is_an_error() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.capacity_tokens = 10});
        scheduler.submit({.prompt = some_tokens(40), .max_tokens = 1});
        const auto what = message([&] {
            while (!scheduler.idle()) scheduler.advance();
        });
        QVERIFY2(what.contains("KV cache is full"), qPrintable(what));
        QVERIFY(scheduler.idle());
    }

    /// A token that was chosen and has not been through the model is no part of a text that was stopped, however it was.
    void a_full_cache_ends_the_text_at_its_last_finished_token() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.block_entries = 8, .capacity_tokens = 16});
        const int id = scheduler.submit({.prompt = some_tokens(8), .max_tokens = 50, .ignore_eos = true});
        std::size_t finished = 0;
        const auto what = message([&] {
            while (!scheduler.idle()) finished += scheduler.advance().tokens.size();
        });
        QVERIFY2(what.contains("KV cache is full"), qPrintable(what));
        QCOMPARE(finished, std::size_t{16});
        QCOMPARE(scheduler.tokens(id).size(), finished);
        QCOMPARE(scheduler.kv(id).slot_tokens.front(), 16);
    }

    void cancelling_a_text_that_waits_for_memory_drops_the_waiting_token() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.block_entries = 8, .capacity_tokens = 16});
        const int first = scheduler.submit({.prompt = some_tokens(7), .max_tokens = 30, .ignore_eos = true});
        const int second = scheduler.submit({.prompt = some_tokens(7), .max_tokens = 30, .ignore_eos = true});
        std::map<int, std::size_t> finished;
        const auto what = message([&] {  // both have a block and want another
            while (!scheduler.idle())
                for (const auto& t : scheduler.advance().tokens) ++finished[t.record.request];
        });
        QVERIFY2(what.contains("KV cache is full"), qPrintable(what));
        QVERIFY(!scheduler.running(first) && scheduler.running(second));
        QCOMPARE(scheduler.tokens(first).size(), finished[first]);
        QCOMPARE(scheduler.tokens(second).size(), finished[second] + 1);
        scheduler.cancel(second);
        QCOMPARE(scheduler.tokens(second).size(), finished[second]);
        QVERIFY(scheduler.idle());
    }

    void a_device_that_fails_ends_texts_at_their_last_finished_token_data() {
        QTest::addColumn<QString>("operation");
        for (const char* operation : {"embed", "attention", "head"}) QTest::newRow(operation) << operation;
    }
    void a_device_that_fails_ends_texts_at_their_last_finished_token() {
        QFETCH(QString, operation);
        On<FailingBackend> c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.max_requests = 1});
        const Request request{.prompt = some_tokens(9), .max_tokens = 12, .ignore_eos = true};
        const int id = scheduler.submit(request);
        std::size_t finished = 0;
        while (finished < 14) finished += scheduler.advance().tokens.size();
        c.backend->fails = operation.toStdString();
        const auto what = message([&] {
            while (!scheduler.idle()) finished += scheduler.advance().tokens.size();
        });
        QVERIFY2(what.contains(operation), qPrintable(what));
        QVERIFY(scheduler.idle());
        QCOMPARE(scheduler.tokens(id).size(), finished);
        QCOMPARE(scheduler.kv(id).slot_tokens.front(), static_cast<int>(finished));
        scheduler.release(id);
        const int again = scheduler.submit(request);
        while (!scheduler.idle()) scheduler.advance();
        QCOMPARE(scheduler.tokens(again).size(), std::size_t{21});
    }

    void records_follow_the_token_through() {
        Counted c(device_, "mor_expert_mc");
        Session session(c.model);
        const auto tokens =
            run(session, {.prompt = some_tokens(7), .max_tokens = 9, .ignore_eos = true, .alternatives = 3});
        std::int64_t used = 0;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const TokenRecord& r = tokens[i].record;
            QCOMPARE(r.position, static_cast<int>(i));
            QCOMPARE(r.prompt, i < 7);
            QCOMPARE(r.depth,
                     static_cast<int>(std::count_if(r.recursions.begin(), r.recursions.end(),
                                                    [](const Decision& d) { return d.outcome == Outcome::Take; })));
            std::int64_t sum = 0;
            for (const auto b : r.kv.used) sum += b;
            QVERIFY(sum > used);
            used = sum;
            QVERIFY(r.flops > 0 && r.flops <= r.flops_vanilla + 3 * 2 * 64);
            QCOMPARE(std::isnan(r.logprob), r.prompt);
            if (r.prompt) continue;
            QCOMPARE(r.top.size(), std::size_t{3});
            QCOMPARE(r.top.front().token, r.token);  // greedy
            QCOMPARE(r.top.front().logprob, r.logprob);
        }
    }
};

MOR_DEVICE_TEST_MAIN(SchedulerTest)
#include "tst_scheduler.moc"
