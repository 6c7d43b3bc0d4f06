// SPDX-License-Identifier: Apache-2.0
// That savings are real: rows counted in each product, blocks counted in the allocator; and that requests can be
// refused, cancelled, continued and starved of memory without harm.
#include <QtTest>

#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "engine/backends.hpp"
#include "engine/counting_backend.hpp"
#include "model/parts.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"
#include "run/pass_selection.hpp"

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

    void route(std::span<const RoutingPoint> points, const float* x) override {
        fail("route");
        CountingBackend::route(points, x);
    }
    std::vector<Pick> pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted) override {
        fail("pick");
        auto picks = CountingBackend::pick(logits, n, vocab, k, wanted);
        if (spoiled >= 0) picks.at(static_cast<std::size_t>(spoiled)).log_sum_exp = std::nanf("");
        return picks;
    }
    void download(const float* source, std::size_t count, float* host) override {
        fail("download");
        CountingBackend::download(source, count, host);
    }

    int spoiled = -1;  ///< row of the next picks that says nothing

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
        for (const auto& [prompt, more] : {std::pair{40, 1}, {2, 15}, {17, 0}}) {
            const auto what = message([&] { scheduler.submit({.prompt = some_tokens(prompt), .max_tokens = more}); });
            QVERIFY2(what.contains(QString::number(prompt + more)) && what.contains("holds 16"), qPrintable(what));
            QVERIFY(scheduler.idle());
        }
        scheduler.submit({.prompt = some_tokens(15), .max_tokens = 1});
        while (!scheduler.idle()) scheduler.advance();
    }

    /// A token that was chosen and has not been through the model is no part of a text that was stopped, however it was.
    void a_text_that_has_no_room_to_go_on_stays_as_it_is() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.block_entries = 8, .capacity_tokens = 16});
        const int id = scheduler.submit({.prompt = some_tokens(8), .max_tokens = 8, .ignore_eos = true});
        while (!scheduler.idle()) scheduler.advance();
        const auto what = message([&] { scheduler.extend(id, 1); });
        QVERIFY2(what.contains("KV cache is full"), qPrintable(what));
        QVERIFY(scheduler.idle());
        QCOMPARE(scheduler.tokens(id).size(), std::size_t{16});
        QCOMPARE(scheduler.kv(id).slot_tokens.front(), 16);
        // What has ended keeps its blocks, so nobody else can begin before it is released.
        scheduler.submit({.prompt = some_tokens(3), .max_tokens = 1});
        const auto full = message([&] {
            while (!scheduler.idle()) scheduler.advance();
        });
        QVERIFY2(full.contains("release"), qPrintable(full));
        scheduler.release(id);
        const int next = scheduler.submit({.prompt = some_tokens(3), .max_tokens = 1, .ignore_eos = true});
        while (!scheduler.idle()) scheduler.advance();
        QCOMPARE(scheduler.tokens(next).size(), std::size_t{4});
    }

    void cancelling_a_text_that_waits_for_its_turn() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.max_requests = 1});
        const Request request{.prompt = some_tokens(7), .max_tokens = 3, .ignore_eos = true};
        const int first = scheduler.submit(request), second = scheduler.submit(request), third = scheduler.submit(request);
        while (scheduler.tokens(first).size() < 9) scheduler.advance();
        scheduler.cancel(second);
        QVERIFY(scheduler.tokens(second).empty() && !scheduler.running(second));
        while (!scheduler.idle()) QVERIFY(scheduler.advance().pass.waiting <= 1);
        QCOMPARE(scheduler.tokens(third), scheduler.tokens(first));
        QCOMPARE(scheduler.kv(second).slot_tokens.front(), 0);
    }

    void a_device_that_fails_ends_texts_at_their_last_finished_token_data() {
        QTest::addColumn<QString>("operation");
        for (const char* operation : {"embed", "attention", "route", "head", "pick"}) QTest::newRow(operation) << operation;
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

    /// One request cannot choose its next token: it ends, and what the others finished in that pass is told all the same.
    void a_request_that_fails_alone_takes_no_others_along() {
        On<FailingBackend> c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.max_requests = 3});
        RoutingSettings routing;
        routing.fixed_depth = 1;  // in step
        for (int i = 0; i < 3; ++i)
            scheduler.submit({.prompt = some_tokens(4), .max_tokens = 6, .ignore_eos = true, .routing = routing});
        std::map<int, std::size_t> finished;
        const auto advance = [&] {
            for (const auto& t : scheduler.advance().tokens) ++finished[t.record.request];
        };
        while (finished[0] < 5) advance();
        c.backend->spoiled = 1;
        c.backend->fails = "download";
        while (scheduler.running(1)) advance();
        c.backend->spoiled = -1;
        QVERIFY(finished[0] == 6 && finished[1] == 6 && finished[2] == 6);
        QVERIFY(!scheduler.idle());
        QVERIFY(message([&] { scheduler.advance(); }).contains("download"));
        QCOMPARE(scheduler.tokens(1).size(), std::size_t{6});
        while (!scheduler.idle()) advance();
        QVERIFY(finished[0] == 10 && finished[1] == 6 && finished[2] == 10);
    }

    /// Embedding, head and picks: once in a pass, and once for exits, however many requests it has and whatever each asks
    /// for.
    void a_pass_embeds_and_reads_the_head_once() {
        Counted c(device_, "mor_expert_mc");
        Scheduler scheduler(c.model, {.max_requests = 12});
        for (int i = 0; i < 12; ++i)
            scheduler.submit({.prompt = some_tokens(3 + i % 3),
                              .max_tokens = 8,
                              .ignore_eos = true,
                              .sampling = {.temperature = i % 2 ? 0.9f : 0.0f, .top_k = i % 4 ? 20 : 0},
                              .alternatives = i % 5,
                              .prompt_logprobs = i % 3 == 0,
                              .exits = i % 6 == 1});
        long heads = 0, calls = 0;
        while (!scheduler.idle()) {
            const auto before = c.backend->counts;
            bool exits = false;
            for (const auto& t : scheduler.advance().tokens) exits = exits || !t.record.exits.empty();
            const auto& now = c.backend->counts;
            QVERIFY(now.embed_calls - before.embed_calls <= 1);
            QVERIFY(now.head_calls - before.head_calls <= 1 + exits);
            QCOMPARE(now.pick_calls - before.pick_calls, now.head_calls - before.head_calls);
            heads += now.heads - before.heads;
            calls += now.head_calls - before.head_calls;
        }
        QVERIFY2(heads > 3 * calls, qPrintable(QString("%1 rows in %2 calls").arg(heads).arg(calls)));
    }

    /// Requests of every kind at once say what each says alone.
    void together_is_as_alone_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"mor_expert_mc_kvshare", "mor_expert_mc", "mor_expert_cycle", "mor_token_mc_softmax"}) {
            QTest::newRow(name) << name;
            if (is_cuda(device_) && !exhaustive()) return;
        }
    }
    void together_is_as_alone() {
        QFETCH(QString, name);
        Counted c(device_, qPrintable(name));
        const int recursions = c.model->config().mor.num_recursion;
        const bool token_choice = c.model->config().mor.routing == Routing::TokenChoice;
        std::vector<Request> requests;
        for (int i = 0; i < 9; ++i) {
            Request r{.prompt = some_tokens(2 + 5 * i % 17),
                      .max_tokens = 4 + i % 5,
                      .ignore_eos = true,
                      .sampling = {.temperature = i % 3 == 1 ? 0.8f : 0.0f, .top_k = i % 2 ? 12 : 0, .seed = 7u + i},
                      .prefill_chunk = i % 4,
                      .alternatives = i % 4,
                      .prompt_logprobs = i % 3 == 2,
                      .exits = i % 4 == 3};
            if (i % 3 == 0) r.routing.fixed_depth = token_choice ? 1 + i % recursions : i % (recursions + 1);
            requests.push_back(std::move(r));
        }
        std::map<int, std::vector<TokenRecord>> together;
        Scheduler scheduler(c.model, {.max_requests = 5});  // fewer than there are
        for (const Request& r : requests) scheduler.submit(r);
        while (!scheduler.idle())
            for (auto& t : scheduler.advance().tokens) together[t.record.request].push_back(std::move(t.record));
        for (int i = 0; i < 9; ++i) {
            Session session(c.model);
            const auto alone = run(session, requests[static_cast<std::size_t>(i)]);
            const auto& records = together[i];
            QCOMPARE(records.size(), alone.size());
            for (std::size_t t = 0; t < alone.size(); ++t) {
                const TokenRecord &a = alone[t].record, &b = records[t];
                QVERIFY(a.position == b.position && a.token == b.token && a.depth == b.depth && a.finish == b.finish);
                QVERIFY(a.kv.used == b.kv.used && a.flops == b.flops && a.top.size() == b.top.size());
                QVERIFY(std::isnan(a.logprob) ? std::isnan(b.logprob) : std::abs(a.logprob - b.logprob) < 1e-4f);
                QCOMPARE(b.exits.size(), a.exits.size());
                for (std::size_t e = 0; e < a.exits.size(); ++e)
                    for (std::size_t k = 0; k < a.exits[e].top.size(); ++k)
                        QVERIFY(std::abs(a.exits[e].top[k].logprob - b.exits[e].top[k].logprob) < 1e-4f);
            }
        }
    }

    /// 32 requests whose tokens take one to three recursions: the shared block stays full, with rows of several recursions.
    void the_shared_block_stays_full() {
        Counted c(device_, "mor_expert_mc");
        constexpr int kRequests = 32;
        const int decoded = device_ == "cpu" ? 40 : 8;
        Scheduler scheduler(c.model, {.max_requests = kRequests});
        int depths = 0;
        std::mt19937 random(11);
        for (int i = 0; i < kRequests; ++i) {
            Request r{.prompt = {i}, .max_tokens = decoded, .ignore_eos = true};
            for (int position = 0; position <= decoded; ++position)
                depths += r.routing.forced_depth[position] = 1 + static_cast<int>(random() % 3);
            scheduler.submit(std::move(r));
        }
        int passes = 0, shared = 0, mixed = 0, rows = 0;
        while (!scheduler.idle()) {
            const PassRecord pass = scheduler.advance().pass;
            ++passes;
            std::set<int> recursions;
            for (const PassRow& row : pass.rows)
                if (row.decision.outcome == Outcome::Take) recursions.insert(row.recursion);
            if (recursions.empty()) continue;
            ++shared;
            mixed += recursions.size() > 1;
            rows += pass.computed_rows;
        }
        QCOMPARE(rows, depths);
        const double steps = decoded + 1, fill = double(rows) / shared / kRequests;
        qInfo(
            "%s: %d passes, %.2f shared ones for each token of a request (mean depth %.2f), %.1f of %d rows filled, "
            "%d of %d with rows of different recursions",
            device_.c_str(), passes, shared / steps, depths / steps / kRequests, fill * kRequests, kRequests, mixed,
            shared);
        QVERIFY(3 * mixed > 2 * shared);
        QVERIFY(fill > 0.75);
        QVERIFY(shared / steps < 2.75);  // in lockstep each token step takes three
    }

    /// Requests begin in the order they came, max_requests at a time, and nobody who has begun sits out many passes.
    void nobody_starves() {
        Counted c(device_, "mor_expert_mc");
        constexpr int kRequests = 40, kSlots = 6, kGroups = 3;
        Scheduler scheduler(c.model, {.max_requests = kSlots});
        for (int i = 0; i < kRequests; ++i) {
            Request r{.prompt = some_tokens(i % 7 == 3 ? 30 : 1 + i % 4),
                      .max_tokens = i % 5 == 0 ? 12 : 2,
                      .ignore_eos = true,
                      .prefill_chunk = 3};
            if (i % 2) r.routing.fixed_depth = i % 4;
            scheduler.submit(std::move(r));
        }
        std::map<int, int> last;  // request -> pass it took part in
        std::vector<int> begun;
        std::set<int> ended;
        int longest = 0;
        for (int pass = 0; !scheduler.idle(); ++pass) {
            const Events events = scheduler.advance();
            QVERIFY(events.pass.running <= kSlots);
            QCOMPARE(events.pass.running + events.pass.waiting + static_cast<int>(ended.size()), kRequests);
            std::set<int> part;
            for (const PassRow& row : events.pass.rows) part.insert(row.request);
            for (const int request : part) {
                if (last.contains(request))
                    longest = std::max(longest, pass - last[request] - 1);
                else
                    begun.push_back(request);
                last[request] = pass;
            }
            for (const auto& t : events.tokens)
                if (t.record.finish != Finish::None) ended.insert(t.record.request);
        }
        QCOMPARE(ended.size(), std::size_t{kRequests});
        for (int i = 0; i < kRequests; ++i)  // those that begin in the same advance may swap
            QVERIFY(std::abs(std::find(begun.begin(), begun.end(), i) - begun.begin() - i) < kSlots);
        QVERIFY2(longest <= PassSelection::kPatience + kGroups + 1, qPrintable(QString::number(longest)));
    }

    /// What never happens for long with real requests: a lone row in front of heavy weights, prompts beyond what one pass
    /// takes, and a group that is always cheaper. Each takes part within the bound that pass_selection.hpp names.
    void every_chunk_takes_part_within_the_bound() {
        Counted c(device_, "mor_expert_mc");
        const ModelParts& parts = parts_of(*c.model);
        const Plan plan = compile_plan(c.model->config(), KvPolicy::RecursionWise);
        KvPool pool(parts.backend, plan, {.kv_heads = 2, .head_dim = 16}, 256, 1);
        RowPool logits(parts.backend, 128);
        PassSelection selection({{0, 1}, {1, 10}, {2, 1000}});
        std::vector<std::unique_ptr<Sequence>> sequences;
        std::vector<Chunk> chunks;
        const auto add = [&](int segment, int rows) {
            const int id = static_cast<int>(sequences.size());
            sequences.push_back(std::make_unique<Sequence>(id, Request{}, pool, plan, logits, nullptr));
            chunks.push_back({.sequence = sequences.back().get(), .rows = std::vector<Row>(rows), .segment = segment});
            for (int i = 0; i < rows; ++i) chunks.back().live.push_back(i);
            selection.enter(chunks.back());
        };
        for (int i = 0; i < 30; ++i) add(0, 1);
        for (int i = 0; i < 3 * PassSelection::kPrompts; ++i) add(1, 4);
        add(2, 1);
        std::vector<Chunk*> ready;
        for (Chunk& chunk : chunks) ready.push_back(&chunk);
        std::map<const Chunk*, int> last;
        int longest = 0, first_groups = 0;
        for (int pass = 1; pass <= 200; ++pass) {
            const auto chosen = selection.next(ready);
            QVERIFY(std::all_of(chosen.begin(), chosen.end(),
                                [&](const Chunk* chunk) { return chunk->segment == chosen.front()->segment; }));
            first_groups += chosen.front()->segment == 0;
            for (const Chunk* chunk : chosen) {
                longest = std::max(longest, pass - last[chunk] - 1);
                last[chunk] = pass;
            }
        }
        QCOMPARE(last.size(), chunks.size());
        QVERIFY2(longest <= PassSelection::kPatience + 2 + 3, qPrintable(QString::number(longest)));
        QVERIFY(first_groups > 20);  // and the cheap group goes first as long as nobody has waited
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
