// SPDX-License-Identifier: Apache-2.0
#include <QElapsedTimer>
#include <QTest>

#include "engine/bpe_files.hpp"

using namespace mor;
using namespace mor::testing;

class TestBpeFiles : public QObject {
    Q_OBJECT

    Json base_;

    /// base_ with the value at a JSON pointer set; the word "remove" takes it away.
    Json with(const QString& pointer, const QString& value) const {
        Json json = base_;
        const Json::json_pointer place(pointer.toStdString());
        if (value == "remove") {
            json[place.parent_pointer()].erase(place.back());
        } else {
            json[place] = Json::parse(value.toStdString());
        }
        return json;
    }

private slots:
    void initTestCase() {
        base_ = bpe_json("tokenizer.json");
        QVERIFY(load_bpe(base_.dump())->size() > 1000);
    }

    void what_is_not_understood_is_refused_data() {
        QTest::addColumn<QString>("place");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("part");
        const auto row = [](const char* name, const char* place, const char* value, const char* part) {
            QTest::newRow(name) << place << value << part;
        };
        row("version", "/version", R"("2.0")", "version: expected \"1.0\"");
        row("truncation", "/truncation", R"({"max_length": 5})", "truncation: expected null");
        row("padding", "/padding", R"({"length": 5})", "padding: expected null");
        row("normalizer", "/normalizer", R"({"type": "NFC"})", "normalizer: expected null");
        row("unknown section", "/surprise", "1", "surprise: expected no field of this name");
        row("post-processor", "/post_processor", R"({"type": "TemplateProcessing"})", "post_processor.type");
        row("decoder", "/decoder", R"({"type": "Metaspace"})", "decoder.type: expected \"ByteLevel\"");
        row("no decoder", "/decoder", "null", "decoder: expected");
        row("model type", "/model/type", R"("Unigram")", "model.type: expected \"BPE\"");
        row("no model", "/model", "remove", "model: expected a value, got nothing");
        row("model is a list", "/model", "[]", "expected an object");
        row("dropout", "/model/dropout", "0.1", "model.dropout");
        row("prefix", "/model/continuing_subword_prefix", R"("##")", "model.continuing_subword_prefix");
        row("suffix", "/model/end_of_word_suffix", R"("</w>")", "model.end_of_word_suffix");
        row("byte fallback", "/model/byte_fallback", "true", "model.byte_fallback");
        row("unknown model field", "/model/extra", "1", "model.extra");
        row("unknown token", "/model/unk_token", R"("<nobody>")", "model.unk_token");
        row("empty vocabulary", "/model/vocab", "{}", "model.vocab");
        row("vocabulary is a list", "/model/vocab", "[]", "model.vocab");
        row("id is text", "/model/vocab/a", R"("5")", "model.vocab.a: expected a whole number");
        row("id below 0", "/model/vocab/a", "-1", "model.vocab.a");
        row("id far too large", "/model/vocab/a", "4000000000", "model.vocab.a");
        row("id twice", "/model/vocab/a", "17", "which another token has too");
        row("merge of one", "/model/merges/3", R"(["a"])", "model.merges[3]: expected two tokens");
        row("merge of three", "/model/merges/3", R"("a b c")", "model.merges[3]");
        row("merge of a stranger", "/model/merges/3", R"(["a", "\u2603"])",
            "model.merges[3]: expected tokens of model.vocab");
        row("merge without result", "/model/merges/3", R"(["<|im_end|>", "a"])", "which is not there");
        row("merge of numbers", "/model/merges/3", "[1, 2]", "model.merges[3][0]: expected a string");
        row("pre-tokenizer", "/pre_tokenizer", R"({"type": "Whitespace"})", "pre_tokenizer.type");
        row("no pre-tokenizer", "/pre_tokenizer", "null", "pre_tokenizer");
        row("no byte level", "/pre_tokenizer", R"({"type": "Digits", "individual_digits": true})", "ByteLevel at the end");
        row("after byte level", "/pre_tokenizer/pretokenizers/2", R"({"type": "Digits"})", "nothing after ByteLevel");
        row("nested sequence", "/pre_tokenizer/pretokenizers/0", R"({"type": "Sequence", "pretokenizers": []})",
            "pre_tokenizer.pretokenizers[0].type");
        row("other pattern", "/pre_tokenizer/pretokenizers/0",
            R"({"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Isolated", "invert": false})", "pattern.Regex");
        row("plain split", "/pre_tokenizer/pretokenizers/0",
            R"({"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated", "invert": false})", "pattern.Regex");
        row("unknown option", "/pre_tokenizer/pretokenizers/1/lowercase", "true", "lowercase");
        row("added token without content", "/added_tokens/0/content", "remove", "added_tokens[0].content");
        row("empty added token", "/added_tokens/0/content", R"("")", "added_tokens[0].content");
        row("whole words", "/added_tokens/0/single_word", "true", "added_tokens[0].single_word");
        row("added token twice", "/added_tokens/1/content", R"("<|endoftext|>")", "not in the list yet");
        row("id of another", "/added_tokens/1/id", "7", "its id in model.vocab");
        row("gap", "/added_tokens/1/content", R"("<new>")", "the next free id");
        row("flag is a number", "/added_tokens/1/lstrip", "1", "added_tokens[1].lstrip: expected true or false");
    }
    void what_is_not_understood_is_refused() {
        QFETCH(QString, place);
        QFETCH(QString, value);
        QFETCH(QString, part);
        const Json json = with(place, value);
        VERIFY_SENTENCE(error_of([&] { load_bpe(json.dump()); }), part.toStdString());
        VERIFY_SENTENCE(error_of([&] { load_bpe(json.dump()); }), "tokenizer.json");
    }

    void broken_files_are_refused_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("part");
        const auto whole = QByteArray::fromStdString(bpe_json("tokenizer.json").dump());
        QTest::newRow("empty") << QByteArray() << "expected JSON";
        QTest::newRow("truncated") << whole.left(whole.size() / 2) << "expected JSON";
        QTest::newRow("not UTF-8") << QByteArray("{\"version\": \"\xFF\"}") << "expected JSON";
        QTest::newRow("a list") << QByteArray("[]") << "expected an object";
        QTest::newRow("key twice") << QByteArray(R"({"version": "1.0", "version": "1.0"})") << "every key once";
        QTest::newRow("too deep") << QByteArray(100000, '[') << "nested";
    }
    void broken_files_are_refused() {
        QFETCH(QByteArray, content);
        QFETCH(QString, part);
        VERIFY_SENTENCE(error_of([&] { load_bpe(content.toStdString()); }), part.toStdString());
    }

    /// Whatever the file says, loading ends in a tokenizer that encodes and decodes, or in a sentence.
    void flipped_bits_never_crash() {
        const std::string whole = base_.dump();
        int refused = 0;
        for (unsigned seed = 0; seed < 300; ++seed) {
            const std::string sentence = error_of([&] {
                const auto tokenizer = load_bpe(with_flipped_bits(whole, whole.size(), seed));
                for (const int id : tokenizer->encode("Call me Ishmael 1851 <|im_end|>")) tokenizer->bytes(id, true);
            });
            if (!sentence.empty()) ++refused;
        }
        QVERIFY(refused > 100);
    }

    void text_must_be_utf8() {
        const auto tokenizer = load_bpe(base_.dump());
        VERIFY_SENTENCE(error_of([&] { tokenizer->encode("ab\xC3"); }), "byte 2: expected UTF-8");
        VERIFY_SENTENCE(error_of([&] { tokenizer->encode("\xED\xA0\x80"); }), "byte 0");
    }

    void vocabulary_must_fit_the_model() {
        VERIFY_SENTENCE(error_of([&] { load_bpe(base_.dump(), {}, 100); }), "at most vocab_size 100 ids");
    }

    void begin_of_sequence_only_if_configured() {
        const auto plain = load_bpe(base_.dump(), R"({"bos_token": "<|im_start|>"})")->encode("a");
        QCOMPARE(plain.size(), std::size_t{1});
        for (const char* bos : {R"("<|im_start|>")", R"({"content": "<|im_start|>", "special": true})"}) {
            const auto config = std::string(R"({"add_bos_token": true, "bos_token": )") + bos + "}";
            QCOMPARE(load_bpe(base_.dump(), config)->encode("a"), (std::vector<int>{1, plain[0]}));
        }
        VERIFY_SENTENCE(error_of([&] { load_bpe(base_.dump(), R"({"add_bos_token": true})"); }),
                        "tokenizer_config.json: bos_token");
        VERIFY_SENTENCE(error_of([&] { load_bpe(base_.dump(), R"({"add_bos_token": true, "bos_token": "<s>"})"); }),
                        "no such token");
        VERIFY_SENTENCE(error_of([&] { load_bpe(base_.dump(), R"({"add_bos_token": 1})"); }), "add_bos_token");
    }

    void labels_are_readable() {
        const auto tokenizer = load_bpe(base_.dump());
        const auto label = [&](const char* text) { return tokenizer->label(tokenizer->encode(text).at(0)); };
        QCOMPARE(label("<|im_end|>"), std::string("<|im_end|>"));
        QCOMPARE(label(" the"), std::string(" the"));
        QCOMPARE(label("\x1b"), std::string("\\x1B"));
        QCOMPARE(label("\n"), std::string("\\n"));
        QCOMPARE(label("\U00020000"), std::string("\\xF0"));  // the first byte of a rare character
        QCOMPARE(tokenizer->label(-1), std::string("<-1>"));
        QCOMPARE(tokenizer->label(1 << 30), std::string("<1073741824>"));
        for (int id = 0; id < tokenizer->size(); ++id) {
            QVERIFY(!tokenizer->label(id).empty());
            QCOMPARE(repair_utf8(tokenizer->label(id)), tokenizer->label(id));
        }
    }

    void special_tokens_write_nothing_and_added_ones_themselves() {
        Json json = base_;
        json["added_tokens"][1]["special"] = false;
        const auto tokenizer = load_bpe(json.dump());
        QCOMPARE(tokenizer->bytes(0, false), std::string());
        QCOMPARE(tokenizer->bytes(1, false), std::string("<|im_start|>"));
        QCOMPARE(tokenizer->bytes(1 << 30, false), std::string("\xEF\xBF\xBD"));
    }

    void an_invented_blank_is_not_shown() {
        const Json json = with("/pre_tokenizer/pretokenizers/1/add_prefix_space", "true");
        const auto tokenizer = load_bpe(json.dump());
        const auto ids = tokenizer->encode("the");
        QCOMPARE(tokenizer->bytes(ids.at(0), false), std::string(" the"));
        QCOMPARE(tokenizer->bytes(ids.at(0), true), std::string("the"));
    }

    void sentencepiece_comes_first_and_no_tokenizer_is_none() {
        const Folder folder;
        QVERIFY(!Tokenizer::load(folder.path(), 10));
        folder.write("tokenizer.json", base_.dump());
        QVERIFY(Tokenizer::load(folder.path(), kBpeVocabulary));
        folder.write("tokenizer.model", "broken");
        VERIFY_SENTENCE(error_of([&] { Tokenizer::load(folder.path(), kBpeVocabulary); }), "tokenizer.model");
    }

    /// Runs of 256 KiB take milliseconds; in quadratic time they would take minutes.
    void long_runs_are_quick() {
        const auto tokenizer = load_bpe(base_.dump());
        for (const char* part : {"a", " ", "!", "7", "\n", "\xE6\xBC\xA2", "<|im_end", "ab"}) {
            std::string text;
            while (text.size() < (1u << 18)) text += part;
            QElapsedTimer timer;
            timer.start();
            QVERIFY(!tokenizer->encode(text).empty());
            QVERIFY2(timer.elapsed() < 10000, part);
        }
    }
};

QTEST_GUILESS_MAIN(TestBpeFiles)
#include "tst_bpe_files.moc"
