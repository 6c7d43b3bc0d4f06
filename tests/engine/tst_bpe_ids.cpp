// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cstdlib>

#include "engine/bpe_files.hpp"
#include "text/pre_tokenizer.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::string utf8_of(unsigned p) {
    const auto tail = [](unsigned bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
    if (p < 0x80) return {static_cast<char>(p)};
    if (p < 0x800) return {static_cast<char>(0xC0 | p >> 6), tail(p)};
    if (p < 0x10000) return {static_cast<char>(0xE0 | p >> 12), tail(p >> 6), tail(p)};
    return {static_cast<char>(0xF0 | p >> 18), tail(p >> 12), tail(p >> 6), tail(p)};
}

int pieces(const PreTokenizer& cutter, const std::string& text) {
    int n = 0;
    cutter.split(text, [&](std::string_view) { ++n; });
    return n;
}

/// As make_bpe_cases.py classes a character: by what it may stand together with.
char class_of(const PreTokenizer& words, const std::string& c) {
    if (pieces(words, "a" + c + "a") == 1) return 'L';
    if (pieces(words, "1" + c + "1") == 1) return 'N';
    return pieces(words, "!" + c + "!") == 1 ? 'O' : 'S';
}

/// Counts and names the strings whose ids differ.
QString mismatches(const Tokenizer& tokenizer, const Json& strings, const Json& ids) {
    int wrong = 0;
    QString first;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        const auto& text = strings[i].get_ref<const std::string&>();
        if (tokenizer.encode(text) == ids[i].get<std::vector<int>>()) continue;
        if (wrong++ == 0) {
            first = QString("string %1 %2: %3")
                        .arg(i)
                        .arg(strings[i].dump(-1, ' ', true).c_str(), Json(tokenizer.encode(text)).dump().c_str());
        }
    }
    return wrong == 0 ? QString() : QString("%1 of %2 differ, %3").arg(wrong).arg(strings.size()).arg(first);
}

}  // namespace

class TestBpeIds : public QObject {
    Q_OBJECT

    Json base_, cases_;

private slots:
    void initTestCase() {
        base_ = bpe_json("tokenizer.json");
        cases_ = bpe_json("cases.json");
        QVERIFY(cases_["strings"].size() >= 300);
    }

    void ids_are_those_of_hugging_face_data() {
        QTest::addColumn<int>("variant");
        for (std::size_t i = 0; i < cases_["variants"].size(); ++i) {
            QTest::newRow(cases_["variants"][i]["name"].get_ref<const std::string&>().c_str()) << static_cast<int>(i);
        }
    }
    void ids_are_those_of_hugging_face() {
        QFETCH(int, variant);
        const Json& v = cases_["variants"][variant];
        Json json = base_;
        json.merge_patch(v["patch"]);
        const auto tokenizer = load_bpe(json.dump());
        QCOMPARE(v["ids"].size(), cases_["strings"].size());
        const QString wrong = mismatches(*tokenizer, cases_["strings"], v["ids"]);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void variants_differ_from_each_other() {
        const Json& first = cases_["variants"][0]["ids"];
        for (const Json& v : cases_["variants"]) {
            const bool same_by_intent = v["name"] == "digits one by one" || v["name"] == "merges as strings";
            QVERIFY2((v["ids"] == first) == same_by_intent, v["name"].get_ref<const std::string&>().c_str());
        }
    }

    /// Tokens give their text back byte by byte, whole characters at a time, but for bytes outside the vocabulary.
    void text_comes_back() {
        Json json = base_;
        json["added_tokens"] = Json::array();
        const auto tokenizer = load_bpe(json.dump());
        int compared = 0;
        for (const Json& s : cases_["strings"]) {
            const auto& text = s.get_ref<const std::string&>();
            if (text.find_first_of("\xF1\xF2\xF3\xF4") != text.npos) continue;
            StreamDecoder decoder(tokenizer);
            std::string bytes, shown;
            for (const int id : tokenizer->encode(text)) {
                bytes += tokenizer->bytes(id, false);
                shown += decoder.push(id);
            }
            shown += decoder.flush();
            QCOMPARE(bytes, text);
            QCOMPARE(shown, text);
            ++compared;
        }
        QVERIFY(compared > 400);
    }

    void every_character_is_classed_as_hugging_face_does() {
        const PreTokenizer words({CutStep::Words}), digits({CutStep::EachDigit});
        unsigned points = 0;
        for (const Json& run : bpe_json("classes.json")) {
            const char kind = run[2].get_ref<const std::string&>()[0];
            for (auto p = run[0].get<unsigned>(); p <= run[1].get<unsigned>(); ++p, ++points) {
                if (p >= 0xD800 && p < 0xE000) continue;  // surrogates lie inside a run but are no characters
                const std::string c = utf8_of(p);
                const bool right = class_of(words, c) == kind && (pieces(digits, "a" + c + "a") > 1) == run[3].get<bool>();
                QVERIFY2(right, qPrintable(QString("U+%1").arg(p, 4, 16)));
            }
        }
        QVERIFY(points >= 0x110000 - 0x800);
    }

    /// Wants the model: packaging/fetch-smollm2.sh puts it there, MOR_SMOLLM2_DIR names another place.
    void smollm2() {
        const char* directory = std::getenv("MOR_SMOLLM2_DIR");
        if (!directory) QSKIP("SmolLM2 is not part of the project; set MOR_SMOLLM2_DIR to its model directory");
        const auto tokenizer = Tokenizer::load(directory, 49152);
        QVERIFY(tokenizer);
        QCOMPARE(tokenizer->size(), 49152);
        const QString wrong = mismatches(*tokenizer, cases_["strings"], bpe_json("smollm2.json"));
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }
};

QTEST_GUILESS_MAIN(TestBpeIds)
#include "tst_bpe_ids.moc"
