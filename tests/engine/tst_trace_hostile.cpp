// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cstring>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "engine/trace_samples.hpp"
#include "mor/trace.hpp"

using namespace mor;
using namespace mor::testing;

class TestTraceHostile : public QObject {
    Q_OBJECT

    Folder folder_;

    Trace read(std::string_view content) { return read_trace(folder_.write("run.mortrace", content)); }

    std::string error(const std::string& record) {
        return error_of([&] { read(to_json(sample_header()) + "\n" + record + "\n"); });
    }

private slots:
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
};

QTEST_APPLESS_MAIN(TestTraceHostile)
#include "tst_trace_hostile.moc"
