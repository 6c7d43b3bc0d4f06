// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <QDir>
#include <QTest>
#include <bit>
#include <cmath>
#include <csignal>
#include <random>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "engine/trace_samples.hpp"
#include "io/json_writer.hpp"
#include "mor/trace.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

/// Every field of `a` and `b`, as the text that both write; NaN equals NaN there. Numbers of `to_json` are exact, which
/// numbers_read_back shows.
bool equal(const Trace& a, const Trace& b) {
    const auto text = [](const Trace& t) {
        std::string all = to_json(t.header);
        for (const auto& r : t.tokens) all += "\n" + to_json(r);
        for (const auto& p : t.passes) all += "\n" + to_json(p);
        return all;
    };
    return text(a) == text(b);
}

/// While it lives, no file of this process may grow beyond `bytes`.
class SmallFiles {
public:
    explicit SmallFiles(rlim_t bytes) : ignored_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SmallFiles() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, ignored_);
    }

private:
    rlimit before_{};
    void (*ignored_)(int);
};

}  // namespace

class TestTrace : public QObject {
    Q_OBJECT

    Folder folder_;

    std::filesystem::path file() const { return folder_.path() / "run.mortrace"; }
    Trace read(std::string_view content) { return read_trace(folder_.write("run.mortrace", content)); }

private slots:
    void reads_what_was_written() {
        Trace trace{sample_header(), {}, {sample_pass(), {}}, false};
        for (int i = 0; i < 5; ++i) trace.tokens.push_back(sample_token(i));
        {
            TraceWriter writer(file(), trace.header);
            for (const auto& t : trace.tokens) writer.add(t);
            for (const auto& p : trace.passes) writer.add(p);
        }
        const Trace back = read_trace(file());
        QVERIFY(!back.torn);
        QVERIFY(equal(trace, back));
        const auto& t = back.tokens[4];
        QCOMPARE(t.recursions[0].gate, 7.038531e-26f);
        QCOMPARE(t.recursions[0].aux_logit, 1e-42f);
        QVERIFY(std::isnan(t.recursions[1].gate));
        QVERIFY(std::signbit(t.recursions[1].logit));
        QCOMPARE(t.recursions[1].margin, kInfinity);
        QVERIFY(t.recursions[2].outcome == Outcome::NotOffered);
        QCOMPARE(t.logprob, -kInfinity);
        QCOMPARE(t.kv.vanilla, std::numeric_limits<std::int64_t>::max());
        QCOMPARE(t.kv.used, (std::vector<std::int64_t>{256, 512, 1024, 0}));
        QCOMPARE(t.flops_vanilla, std::int64_t{9'007'199'254'740'993});
        QCOMPARE(t.top[1].label, std::string("\"\\\x1f"));
        QCOMPARE(t.time_ms, 12.3);
        QVERIFY(t.finish == Finish::Context);
        const auto& h = back.header;
        QCOMPARE(h.prompt, sample_header().prompt);
        QCOMPARE(h.sampling.seed, std::numeric_limits<std::uint64_t>::max());
        QCOMPARE(h.sampling.temperature, 0.7f);
        QCOMPARE(h.routing.forced_depth, (std::map<int, int>{{0, 3}, {255, 0}}));
        QCOMPARE(h.routing.fixed_depth, std::optional<int>(2));
        QCOMPARE(h.config.llama.rms_norm_eps, 1e-5f);
        QCOMPARE(h.config.mor.capacity, (std::vector<double>{1.0, 0.667, 0.333}));
        QVERIFY(h.kv_type == DType::BF16);
        QCOMPARE(back.passes[0].rows[1].recursion, -1);
        QCOMPARE(back.passes[0].rows[0].decision.score, 0.3f);
    }

    void writes_a_whole_run() {
        Trace trace{sample_header(), {}, {}, false};
        for (int i = 0; i < 250; ++i) trace.tokens.push_back(sample_token(i));
        for (int i = 0; i < 20'000; ++i) trace.passes.push_back(sample_pass());  // several blocks of text
        write_trace(file(), trace);
        QVERIFY(equal(trace, read_trace(file())));
        QVERIFY(std::filesystem::file_size(file()) > 2u << 20);
        trace.tokens.resize(1);
        write_trace(file(), trace);  // in the place of a longer one
        QVERIFY(equal(trace, read_trace(file())));
        QCOMPARE(QDir(folder_.path()).entryList(QDir::Files), QStringList{"run.mortrace"});
    }

    void an_old_trace_survives_a_write_that_fails() {
        const Trace trace{sample_header(), {sample_token(0)}, {sample_pass()}, false};
        const auto directory = folder_.path() / "taken";
        std::filesystem::create_directories(directory);
        VERIFY_SENTENCE(error_of([&] { write_trace(directory, trace); }), "the name of a file to write, got a directory");
        VERIFY_SENTENCE(error_of([&] { write_trace(folder_.path() / "no" / "x.mortrace", trace); }),
                        "expected a file that can be created, got No such file or directory");
        std::filesystem::remove(directory);
        write_trace(file(), trace);
        Trace longer = trace;
        longer.passes.assign(20'000, sample_pass());
        const SmallFiles limit(1 << 20);  // as a disk that is full after so many bytes
        VERIFY_SENTENCE(error_of([&] { write_trace(file(), longer); }),
                        "expected a file that can be written, got File too large");
        QVERIFY(equal(trace, read_trace(file())));
        QCOMPARE(QDir(folder_.path()).entryList(QDir::Files), QStringList{"run.mortrace"});
    }

    void reads_every_kind_of_model_data() {
        QTest::addColumn<int>("kind");
        for (int i = 0; i < 5; ++i) QTest::addRow("%d", i) << i;
    }

    void reads_every_kind_of_model() {
        QFETCH(int, kind);
        TraceHeader h = sample_header();
        h.routing = {};
        auto& m = h.config.mor;
        if (kind == 0) m = {};
        if (kind == 1) m.routing = Routing::None, m.capacity.clear(), m.alpha = 1;
        if (kind == 2)
            m.routing = Routing::TokenChoice, m.capacity.clear(), m.router_func = RouterFunction::Softmax,
            m.balancing = Balancing::LossFree;
        if (kind == 3)
            m.router_func = RouterFunction::Identity, m.alpha = 1, m.gated = false, m.router_type = RouterShape::WideMlp;
        if (kind == 4)
            m.router_func = RouterFunction::Tanh, m.sampling = ExpertSampling::AuxRouter, m.temp = 0.7,
            m.kv_policy = KvPolicy::RecursionWise;
        const Trace back = read(to_json(h) + "\n");
        QCOMPARE(to_json(back.header), to_json(h));
        const auto& r = back.header.config.mor;
        QVERIFY(r.sharing == m.sharing && r.num_recursion == m.num_recursion && r.routing == m.routing &&
                r.kv_policy == m.kv_policy);
        QVERIFY(r.capacity == m.capacity && r.temp == m.temp && r.alpha == m.alpha && r.gated == m.gated);
        QVERIFY(r.router_func == m.router_func || m.routing == Routing::None);
        QVERIFY(r.router_type == m.router_type && r.sampling == m.sampling && r.balancing == m.balancing);
    }

    void missing_lists_get_their_size() {
        const Trace back =
            read(to_json(sample_header()) + "\n" +
                 R"({"type":"token","request":0,"position":0,"token":1,"piece":"","label":"x","depth":0})" + "\n");
        QCOMPARE(back.tokens[0].recursions.size(), std::size_t{3});
        QCOMPARE(back.tokens[0].kv.used.size(), std::size_t{4});
        QCOMPARE(back.tokens[0].kv.reserved.size(), std::size_t{4});
        QVERIFY(std::isnan(back.tokens[0].logprob));
    }

    void numbers_read_back() {
        std::mt19937 random(1);
        for (int i = 0; i < 100'000; ++i) {
            const auto f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
            if (!std::isfinite(f)) continue;
            JsonWriter out;
            out.value(f);
            const auto text = out.take();
            QVERIFY2(std::bit_cast<std::uint32_t>(static_cast<float>(std::stod(text))) == std::bit_cast<std::uint32_t>(f),
                     text.c_str());
        }
        JsonWriter out;
        out.value(7.038531e-26f);  // the one float whose shortest form a double sends elsewhere
        QCOMPARE(static_cast<float>(std::stod(out.take())), 7.038531e-26f);
        out.value(0.1f);
        QCOMPARE(out.take(), std::string("0.1"));
    }

    void writes_bytes_that_are_no_utf8_as_replacements() {
        auto h = sample_header();
        h.prompt = "a\xff";
        QCOMPARE(read(to_json(h) + "\n").header.prompt, std::string("a\xEF\xBF\xBD"));
    }

    void an_empty_run_is_a_trace() {
        TraceWriter{file(), sample_header()};
        const Trace back = read_trace(file());
        QVERIFY(back.tokens.empty() && back.passes.empty() && !back.torn);
    }

    void reads_a_long_run() {
        auto h = sample_header();
        h.config.llama.max_position_embeddings = 1 << 20;
        h.prompt = std::string(1 << 20, 'x');
        std::string all = to_json(h) + "\n";
        for (int i = 0; i < 4096; ++i) all += to_json(sample_token(i)) + "\n";
        const Trace back = read(all);
        QCOMPARE(back.tokens.size(), std::size_t{4096});
        QCOMPARE(back.header.prompt.size(), std::size_t{1 << 20});
    }

    void skips_what_it_does_not_know() {
        const Trace back =
            read(to_json(sample_header()) + "\n{\"type\":\"settings\",\"x\":[1]}\n" + to_json(sample_token(0)) + "\n");
        QCOMPARE(back.tokens.size(), std::size_t{1});
    }

    /// A pass says how long the queue was; traces from before do not, which is not the same as nobody.
    void the_queue_is_recorded_or_unknown() {
        PassRecord pass = sample_pass();
        pass.waiting = 0;
        const std::string header = to_json(sample_header()) + "\n";
        const std::string line = to_json(pass);
        const Trace known = read(header + line + "\n");
        QCOMPARE(known.passes.at(0).waiting, 0);
        QCOMPARE(known.passes.at(0).running, 2);
        std::string older = line;
        older.erase(older.find("\"waiting\":0,"), std::string("\"waiting\":0,\"running\":2,").size());
        const Trace unknown = read(header + older + "\n");
        QCOMPARE(unknown.passes.at(0).waiting, -1);
        QCOMPARE(unknown.passes.at(0).running, -1);
        QCOMPARE(QString::fromStdString(to_json(unknown.passes.at(0))), QString::fromStdString(older));
    }

    void several_requests_have_their_own_positions() {
        auto a = sample_token(5), b = sample_token(0);
        b.request = 1;
        QCOMPARE(read(to_json(sample_header()) + "\n" + to_json(a) + "\n" + to_json(b) + "\n").tokens.size(),
                 std::size_t{2});
    }

    void the_header_says_what_ran() {
        ModelInfo info;
        info.name = "Demo";
        info.hash = "00ff";
        info.device = "CPU";
        info.config = sample_header().config;
        Request request;
        request.prompt = {1, 2, 3};
        request.max_tokens = 9;
        request.sampling.seed = 4;
        const auto trained = make_header(info, request, {}, "abc");
        QCOMPARE(trained.prompt_tokens, 3);
        QCOMPARE(trained.max_tokens, 9);
        QCOMPARE(trained.prompt, std::string("abc"));
        QCOMPARE(trained.model_name, std::string("Demo"));
        QVERIFY(trained.kv_policy == KvPolicy::RecursiveSharing);
        QVERIFY(!trained.engine_version.empty());
        KvSettings kv;
        kv.policy = KvPolicy::RecursionWise;
        QVERIFY(make_header(info, request, kv, "").kv_policy == KvPolicy::RecursionWise);
    }
};

QTEST_APPLESS_MAIN(TestTrace)
#include "tst_trace.moc"
