// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <QTest>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "io/json_writer.hpp"
#include "mor/trace.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TraceHeader sample_header() {
    TraceHeader h;
    h.engine_version = "0.1.0";
    h.model_name = "Prose \"r3\" · 한글";
    h.model_hash = "0123456789abcdef";
    h.config = read_config(reference_directory("mor_expert_mc_kvshare"));
    h.prompt = "line one\nline\ttwo \x01 \xF0\x9F\x98\x80";
    h.prompt_tokens = 2;
    h.max_tokens = 64;
    h.sampling = {0.7f, 40, 0.95f, std::numeric_limits<std::uint64_t>::max()};
    h.routing.rule = SelectionRule::TopK;
    h.routing.threshold = 0.1;
    h.routing.head = RoutingHead::Auxiliary;
    h.routing.fixed_depth = 2;
    h.routing.forced_depth = {{0, 3}, {255, 0}};
    h.kv_policy = KvPolicy::RecursiveSharing;
    h.kv_type = DType::BF16;
    h.device = "CPU · avx512 · 2 threads";
    return h;
}

TokenRecord sample_token(int position) {
    TokenRecord t;
    t.position = position;
    t.token = 17;
    t.piece = " the";
    t.label = " the";
    t.prompt = position < 2;
    t.depth = 2;
    t.recursions = {{Outcome::Take, 0.1f, 1e-42f, 0.524979f, 7.038531e-26f, 3.4e38f},
                    {Outcome::KvOnly, -0.0f, kNotEvaluated, 0.3f, kNotEvaluated, kInfinity},
                    {}};
    t.kv = {{256, 512, 1024, 0}, {4096, 4096, 4096, 0}, std::numeric_limits<std::int64_t>::max()};
    t.flops = 123'456'789'012;
    t.flops_vanilla = 9'007'199'254'740'993;
    t.logprob = -kInfinity;
    t.top = {{17, " the", -0.25f}, {0, "\"\\\x1f", kNotEvaluated}};
    t.exits = {{0, {{3, "x", -1}}}, {2, {}}};
    t.time_ms = 12.3;
    t.finish = position > 3 ? Finish::Context : Finish::None;
    return t;
}

PassRecord sample_pass() {
    PassRecord p;
    p.segment = 2;
    p.rows = {{0, 7, 1, {Outcome::Leave, 0.1f, 0.2f, 0.3f, kNotEvaluated, 0.4f}}, {3, 255, -1, {}}};
    p.computed_rows = 1;
    p.milliseconds = 0.125;
    p.kv_blocks_in_use = 3;
    p.kv_blocks_total = 64;
    return p;
}

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

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A full disk: no file grows beyond this while it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(std::size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit wanted{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &wanted);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

}  // namespace

class TestTrace : public QObject {
    Q_OBJECT

    Folder folder_;

    std::filesystem::path file() const { return folder_.path() / "run.mortrace"; }
    Trace read(std::string_view content) { return read_trace(folder_.write("run.mortrace", content)); }

    std::string error(const std::string& record) {
        return error_of([&] { read(to_json(sample_header()) + "\n" + record + "\n"); });
    }

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
        QCOMPARE(t.top[1].piece, std::string("\"\\\x1f"));
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

    void every_truncation_keeps_the_whole_lines() {
        const std::string header = to_json(sample_header()) + "\n";
        const std::string token = to_json(sample_token(0)) + "\n";
        const std::string pass = to_json(sample_pass()) + "\n";
        const std::string all = header + token + pass;
        for (std::size_t n = 0; n <= all.size(); ++n) {
            const auto content = all.substr(0, n);
            if (n < header.size() - 1) {
                VERIFY_SENTENCE(error_of([&] { read(content); }), "line 1: expected the header of a .mortrace file");
                continue;
            }
            const Trace back = read(content);
            QCOMPARE(back.tokens.size(), std::size_t{n >= header.size() + token.size() - 1});
            QCOMPARE(back.passes.size(), std::size_t{n >= all.size() - 1});
            const bool whole = n == header.size() - 1 || n == header.size() || n == header.size() + token.size() - 1 ||
                               n == header.size() + token.size() || n >= all.size() - 1;
            QCOMPARE(back.torn, !whole);
        }
    }

    void skips_what_it_does_not_know() {
        const Trace back =
            read(to_json(sample_header()) + "\n{\"type\":\"settings\",\"x\":[1]}\n" + to_json(sample_token(0)) + "\n");
        QCOMPARE(back.tokens.size(), std::size_t{1});
    }

    void several_requests_have_their_own_positions() {
        auto a = sample_token(5), b = sample_token(0);
        b.request = 1;
        QCOMPARE(error(to_json(a) + "\n" + to_json(b)), std::string());
    }

    void refuses_bad_headers_data() {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const char* from, const char* to, const char* sentence) {
            QTest::newRow(name) << QByteArray(from) << QByteArray(to) << QByteArray(sentence);
        };
        row("no JSON", "{\"type\"", "{type", "line 1: expected JSON");
        row("another type", "\"header\"", "\"token\"", "line 1 type: expected \"header\" on the first line, got \"token\"");
        row("newer version", "\"version\":1", "\"version\":2",
            "line 1 version: expected 1, the version this build reads, got 2");
        row("no version", "\"version\":1,", "", "line 1 version: expected a value, got nothing");
        row("negative layers", "\"num_hidden_layers\":8", "\"num_hidden_layers\":-8",
            "line 1 config.num_hidden_layers: expected a whole number");
        row("too many recursions", "\"num_recursion\":3", "\"num_recursion\":65",
            "line 1 mor.recursive.num_recursion: expected a whole number from 1 to 64, got 65");
        row("unknown sharing", "\"middle_cycle\"", "\"spiral\"", "line 1 mor.recursive.sharing: expected");
        row("unknown rule", "\"topk\"", "\"best\"",
            "line 1 routing.rule: expected \"threshold\" or \"topk\", got \"best\"");
        row("fixed depth too deep", "\"fixed_depth\":2", "\"fixed_depth\":4",
            "line 1 routing.fixed_depth: expected a whole number from 0 to 3, got 4");
        row("forced position outside", "[255,0]", "[256,0]",
            "line 1 routing.forced_depth[1][0]: expected a whole number from 0 to 255, got 256");
        row("forced depth alone", "[255,0]", "[255]", "line 1 routing.forced_depth[1]: expected a position and a depth");
        row("negative seed", "18446744073709551615", "-1",
            "line 1 sampling.seed: expected a whole number from 0 to 2^64 - 1, got -1");
        row("unknown KV type", "\"kv_type\":\"bf16\"", "\"kv_type\":\"i8\"",
            "line 1 kv_type: expected \"f32\", \"f16\" or \"bf16\", got \"i8\"");
    }

    void refuses_bad_headers() {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        QFETCH(QByteArray, sentence);
        QByteArray line = QByteArray::fromStdString(to_json(sample_header()));
        const auto at = line.indexOf(from);
        QVERIFY(at >= 0);
        line.replace(at, from.size(), to);
        VERIFY_SENTENCE(error_of([&] { read(line.toStdString() + "\n"); }), "run.mortrace: " + sentence.toStdString());
    }

    void refuses_bad_records_data() {
        QTest::addColumn<QByteArray>("record");
        QTest::addColumn<QByteArray>("sentence");
        const std::string token = to_json(sample_token(5)), pass = to_json(sample_pass());
        const auto row = [](const char* name, const std::string& whole, const char* from, const char* to,
                            const char* sentence) {
            QByteArray record = QByteArray::fromStdString(whole);
            const auto at = record.indexOf(from);
            if (at < 0) qFatal("row %s changes nothing", name);
            QTest::newRow(name) << record.replace(at, static_cast<int>(std::strlen(from)), to) << QByteArray(sentence);
        };
        row("torn in the middle", token + "\n" + token, "}\n", "\n", "line 2: expected JSON");
        row("empty line", "\n" + token, "\n", "\n", "line 2: expected JSON");
        row("a list", token, token.c_str(), "[]", "line 2: expected an object, got a list of 0");
        row("type is a number", token, "\"token\"", "1", "line 2 type: expected a string, got 1");
        row("second header", to_json(sample_header()), "\"version\":1", "\"version\":1",
            "line 2 type: expected one header per file");
        row("huge position", token, "\"position\":5", "\"position\":256",
            "line 2 position: expected a whole number from 0 to 255, got 256");
        row("negative position", token, "\"position\":5", "\"position\":-1",
            "line 2 position: expected a whole number from 0 to 255, got -1");
        row("position goes back", token + "\n" + token, "x\"", "x\"",
            "line 3 position: expected more than 5, the position before, got 5");
        row("token outside", token, "\"token\":17", "\"token\":128",
            "line 2 token: expected a whole number from 0 to 127, got 128");
        row("depth too deep", token, "\"depth\":2", "\"depth\":4",
            "line 2 depth: expected a whole number from 0 to 3, got 4");
        row("decision missing", token, ",{}]", "]", "line 2 recursions: expected a list of 3, got a list of 2");
        row("unknown outcome", token, "\"take\"", "\"jump\"",
            "line 2 recursions[0].outcome: expected \"not-offered\", \"take\", \"leave\" or \"kv-only\", got \"jump\"");
        row("logit is text", token, "\"logit\":0.1", "\"logit\":\"0.1\"",
            "line 2 recursions[0].logit: expected a number from");
        row("logit beyond float", token, "\"logit\":0.1", "\"logit\":1e300",
            "line 2 recursions[0].logit: expected a number from");
        row("NaN spelled out", token, "\"logit\":0.1", "\"logit\":NaN", "line 2: expected JSON");
        row("too many bytes by recursion", token, "[256,", "[256,1,",
            "line 2 kv.used: expected a list of 4, got a list of 5");
        row("negative bytes", token, "[256,", "[-256,", "line 2 kv.used[0]: expected a whole number from 0");
        row("alternative outside", token, "\"top\":[{\"token\":17", "\"top\":[{\"token\":-1",
            "line 2 top[0].token: expected a whole number");
        row("exit too deep", token, "\"exits\":[{\"recursion\":0", "\"exits\":[{\"recursion\":3",
            "line 2 exits[0].recursion: expected a whole number from 0 to 2, got 3");
        row("negative time", token, "\"time_ms\":12.3", "\"time_ms\":-1", "line 2 time_ms: expected a number from 0");
        row("unknown finish", token, "\"context\"", "\"bored\"",
            "line 2 finish: expected \"none\", \"eos\", \"max-tokens\", \"context\" or \"cancelled\", got \"bored\"");
        row("rows missing", pass, "\"rows\"", "\"lines\"", "line 2 rows: expected a value, got nothing");
        row("row recursion too deep", pass, "\"recursion\":1", "\"recursion\":3",
            "line 2 rows[0].recursion: expected a whole number from -1 to 2, got 3");
        row("row position outside", pass, "\"position\":255", "\"position\":999",
            "line 2 rows[1].position: expected a whole number from 0 to 255, got 999");
        row("more computed than rows", pass, "\"computed_rows\":1", "\"computed_rows\":3",
            "line 2 computed_rows: expected a whole number from 0 to 2, got 3");
        row("segment outside", pass, "\"segment\":2", "\"segment\":8",
            "line 2 segment: expected a whole number from 0 to 7, got 8");
        row("key twice", pass, "\"segment\":2", "\"segment\":2,\"segment\":2", "line 2: expected every key once");
        row("depth bomb", pass, pass.c_str(), std::string(100'000, '[').c_str(),
            "line 2: expected at most 8 nested values");
        row("long line", pass, pass.c_str(), std::string(17 << 20, ' ').c_str(), "line 2: expected at most 16777216 bytes");
    }

    void refuses_bad_records() {
        QFETCH(QByteArray, record);
        QFETCH(QByteArray, sentence);
        VERIFY_SENTENCE(error(record.toStdString()), "run.mortrace: " + sentence.toStdString());
    }

    void survives_flipped_bits() {
        const std::string all =
            to_json(sample_header()) + "\n" + to_json(sample_token(0)) + "\n" + to_json(sample_pass()) + "\n";
        int refused = 0;
        for (unsigned seed = 0; seed < 1500; ++seed) {
            const auto content = with_flipped_bits(all, all.size(), seed);
            refused += !error_of([&] { read(content); }).empty();
        }
        QVERIFY(refused > 500 && refused < 1500);
    }

    void writing_fails_in_one_sentence() {
        VERIFY_SENTENCE(error_of([&] { TraceWriter(folder_.path() / "no" / "x", sample_header()); }),
                        "x: file: expected a file that can be created, got No such file or directory");
        VERIFY_SENTENCE(error_of([&] { TraceWriter("/dev/full", sample_header()); }),
                        "/dev/full: file: expected room for another line, got No space left on device");
        VERIFY_SENTENCE(error_of([&] { read_trace(folder_.path() / "none"); }), "none: file: expected a readable file");
    }

    void a_recorder_writes_what_a_writer_writes() {
        const auto other = folder_.path() / "other.mortrace";
        TraceWriter writer(file(), sample_header());
        TraceRecorder recorder(other, sample_header());
        for (int i = 0; i < 3000; ++i) {
            Events events;
            events.pass = sample_pass();
            events.pass.segment = i % 8;
            events.tokens.resize(static_cast<std::size_t>(i % 3));
            for (auto& token : events.tokens) token.record = sample_token(i % 5);
            writer.add(events);
            recorder.add(events);
            if (i % 1000 == 0) recorder.flush();
        }
        recorder.flush();
        QCOMPARE(content_of(other), content_of(file()));
    }

    void a_recorder_that_goes_has_written_everything() {
        {
            TraceRecorder recorder(file(), sample_header());
            for (int i = 0; i < 10; ++i) recorder.add(Events{sample_pass(), {}});
        }
        QCOMPARE(read_trace(file()).passes.size(), std::size_t{10});
    }

    void a_recorder_says_once_that_the_disk_is_full() {
        {
            const FileSizeLimit header_only(to_json(sample_header()).size() + 1);
            TraceRecorder recorder(file(), sample_header());
            recorder.add(Events{sample_pass(), {}});
            VERIFY_SENTENCE(error_of([&] { recorder.flush(); }), "run.mortrace: file: expected room for another line");
            recorder.add(Events{sample_pass(), {}});
            recorder.flush();
        }
        QVERIFY(read_trace(file()).passes.empty());
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
