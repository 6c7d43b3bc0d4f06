// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cstring>

#include "engine/hostile_input.hpp"
#include "mor/tokenizer.hpp"
#include "text/protobuf_wire.hpp"
#include "text/sentencepiece_file.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

constexpr int kVocabulary = 4096;

std::string model_bytes() { return read_all(std::filesystem::path(MOR_TEST_DATA) / "tokenizer" / "tokenizer.model"); }

std::string varint(std::size_t v) {
    std::string bytes;
    for (; v >= 0x80; v >>= 7) bytes += static_cast<char>((v & 0x7f) | 0x80);
    return bytes += static_cast<char>(v);
}

/// A field of a protocol buffer message that holds bytes.
std::string field(int number, const std::string& content) {
    return varint(static_cast<std::size_t>(number) << 3 | 2) + varint(content.size()) + content;
}

std::string number_field(int number, std::size_t value) {
    return varint(static_cast<std::size_t>(number) << 3) + varint(value);
}

std::string piece(const std::string& text, int type = 1, const std::string& more = {}) {
    return field(1, field(1, text) + number_field(3, static_cast<std::size_t>(type)) + more);
}

/// A normaliser whose rules are a trie of 256 equal units and these replacements.
std::string rules(std::uint32_t unit, std::string replacements) {
    std::string content(4, '\0');
    content[1] = 4;  // 1024 bytes
    for (int i = 0; i < 256; ++i) content.append(reinterpret_cast<const char*>(&unit), 4);
    return field(3, field(2, content + replacements));
}

}  // namespace

class TestTokenizer : public QObject {
    Q_OBJECT

    std::shared_ptr<const Tokenizer> tokenizer_;

    static std::string text_of(const std::shared_ptr<const Tokenizer>& t, const std::vector<int>& ids) {
        StreamDecoder decoder(t);
        std::string text;
        for (const int id : ids) {
            const auto visible = decoder.push(id);
            if (visible != repair_utf8(visible)) return "half a character became visible";
            text += visible;
        }
        return text + decoder.flush();
    }

    static std::string load(std::string_view model, int vocabulary = kVocabulary) {
        const Folder folder;
        folder.write("tokenizer.model", model);
        return error_of([&] { Tokenizer::load(folder.path(), vocabulary); });
    }

private slots:
    void initTestCase() {
        tokenizer_ = Tokenizer::load(std::filesystem::path(MOR_TEST_DATA) / "tokenizer", kVocabulary);
        QVERIFY(tokenizer_);
        QCOMPARE(tokenizer_->size(), kVocabulary);
    }

    void text_comes_back_data() {
        QTest::addColumn<QByteArray>("text");
        for (const char* text :
             {"", "Hello world.", " leading", "  two", "trailing ", "a  b", "\nfirst", "one\n\ntwo\n", "\t tab",
              "caf\u00e9", "\U0001F600 smile", "\ud55c\uae00", "\u2581 itself", "1234567890", "x\r\ny"}) {
            QTest::newRow(QByteArray(text).toPercentEncoding().constData()) << QByteArray(text);
        }
    }

    void text_comes_back() {
        QFETCH(QByteArray, text);
        const auto ids = tokenizer_->encode(text.toStdString());
        for (const int id : ids) QVERIFY(id >= 0 && id < kVocabulary);
        // SentencePiece writes a blank as U+2581, so this one character cannot come back as itself.
        QCOMPARE(text_of(tokenizer_, ids), text.replace("\u2581", " ").toStdString());
    }

    void pieces_have_names_and_bytes() {
        const auto the = tokenizer_->encode("the");
        QCOMPARE(the.size(), std::size_t{1});
        QCOMPARE(tokenizer_->label(the[0]), std::string(" the"));
        QCOMPARE(tokenizer_->bytes(the[0], true), std::string("the"));
        QCOMPARE(tokenizer_->bytes(the[0], false), std::string(" the"));
        QCOMPARE(tokenizer_->bytes(0, false), std::string("\xEF\xBF\xBD"));
        QCOMPARE(tokenizer_->label(0), std::string("<unk>"));
        QCOMPARE(tokenizer_->bytes(1, true), std::string());
        QCOMPARE(tokenizer_->label(2), std::string("</s>"));
        QCOMPARE(tokenizer_->bytes(3, false), std::string("\n"));
        QCOMPARE(tokenizer_->label(3), std::string("\\n"));
        QCOMPARE(tokenizer_->bytes(4 + 0xC3, false), std::string("\xC3"));
        QCOMPARE(tokenizer_->label(4 + 0xC3), std::string("<0xC3>"));
        for (int id = 0; id < kVocabulary; ++id) {
            const auto label = tokenizer_->label(id);
            QVERIFY(!label.empty() && label == repair_utf8(label) && label.find('\n') == label.npos);
        }
    }

    void unknown_ids_have_a_name() {
        for (const int id : {-1, kVocabulary, 1 << 30}) {
            QCOMPARE(tokenizer_->label(id), "<" + std::to_string(id) + ">");
            QCOMPARE(tokenizer_->bytes(id, false), std::string("\xEF\xBF\xBD"));
        }
    }

    void the_invented_blank_goes_after_control_tokens_too() {
        auto ids = tokenizer_->encode("the");
        ids.insert(ids.begin(), 1);
        QCOMPARE(text_of(tokenizer_, ids), std::string("the"));
        ids.push_back(ids.back());
        QCOMPARE(text_of(tokenizer_, ids), std::string("the the"));
    }

    void characters_wait_for_their_last_byte() {
        StreamDecoder decoder(tokenizer_);
        QCOMPARE(decoder.push(4 + 0xF0), std::string());
        QCOMPARE(decoder.push(4 + 0x9F), std::string());
        QCOMPARE(decoder.push(4 + 0x98), std::string());
        QCOMPARE(decoder.push(4 + 0x80), std::string("\xF0\x9F\x98\x80"));
        QCOMPARE(decoder.push(4 + 0xE2), std::string());
        QCOMPARE(decoder.push(4 + 'a'), std::string("\xEF\xBF\xBD"
                                                    "a"));
        QCOMPARE(decoder.push(4 + 0xE2), std::string());
        QCOMPARE(decoder.flush(), std::string("\xEF\xBF\xBD"));
        QCOMPARE(decoder.flush(), std::string());
    }

    void bos_only_when_asked_for() {
        const Folder folder;
        folder.write("tokenizer.model", model_bytes());
        const auto first = [&](const char* config) {
            folder.write("tokenizer_config.json", config);
            return Tokenizer::load(folder.path(), kVocabulary)->encode("x").front();
        };
        QCOMPARE(first(R"({"add_bos_token":true})"), 1);
        QVERIFY(first(R"({"add_bos_token":false})") != 1);
        QVERIFY(first(R"({"add_bos_token":null})") != 1);
        QVERIFY(first("{}") != 1);
        VERIFY_SENTENCE(error_of([&] { first(R"({"add_bos_token":"yes"})"); }),
                        "tokenizer_config.json: add_bos_token: expected true or false");
        VERIFY_SENTENCE(error_of([&] { first("{"); }), "tokenizer_config.json: content: expected JSON");
    }

    void a_directory_may_have_no_tokenizer() {
        const Folder folder;
        QVERIFY(!Tokenizer::load(folder.path(), kVocabulary));
    }

    void refuses_what_it_cannot_use() {
        VERIFY_SENTENCE(load(model_bytes(), 4095),
                        "tokenizer.model: vocabulary: expected at most vocab_size 4095 ids, got 4096");
        VERIFY_SENTENCE(error_of([&] { tokenizer_->encode("ab\xff"); }), "text: byte 2: expected UTF-8");
        VERIFY_SENTENCE(error_of([&] { tokenizer_->encode("\xED\xA0\x80"); }), "text: byte 0: expected UTF-8");
        VERIFY_SENTENCE(error_of([&] { tokenizer_->encode("ab\xC3"); }), "text: byte 2: expected UTF-8");
    }

    void refuses_bad_models_data() {
        QTest::addColumn<QByteArray>("model");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const std::string& model, const char* sentence) {
            QTest::newRow(name) << QByteArray::fromStdString(model) << QByteArray(sentence);
        };
        const std::string unknown = piece("<unk>", 2), nan = std::string("\x15\x00\x00\xc0\x7f", 5);
        row("empty", "", "content: expected a SentencePiece model, got no pieces");
        row("text", "not a model at all", "content: expected a protocol buffer message");
        row("no unknown piece", piece("a"), "content: expected a SentencePiece model");
        row("piece twice", unknown + piece("a") + piece("a"), "content: expected a SentencePiece model");
        row("empty piece", unknown + piece(""), "piece 1: expected 1 to 4096 bytes, got 0");
        row("long piece", unknown + piece(std::string(5000, 'x')), "piece 1: expected 1 to 4096 bytes, got 5000");
        row("no UTF-8", unknown + piece("\xff"), "piece 1: expected UTF-8 without NUL");
        row("NUL inside", unknown + piece(std::string("a\0b", 3)), "piece 1: expected UTF-8 without NUL");
        row("unknown type", unknown + piece("a", 9), "piece 1: expected type 1 to 6, got 9");
        row("score NaN", unknown + piece("a", 1, nan), "piece 1: expected a finite score, got NaN");
        row("byte that is none", unknown + piece("<0xZZ>", 6), "piece 1: expected a byte such as <0x0A>, got <0xZZ>");
        row("byte too long", unknown + piece("<0x100>", 6), "piece 1: expected a byte");
        row("length beyond the end",
            unknown +
                "\x0a\x7f"
                "a",
            "content: expected a protocol buffer message");
        row("endless number", unknown + std::string(20, '\xff'), "content: expected a protocol buffer message");
        row("rules cut off", unknown + field(3, field(2, "abc")),
            "normalizer_spec: expected rules whose trie and replacements stay inside");
        row("trie leads outside", unknown + rules(0x7ffffc00u & ~0x300u, std::string("x\0", 2)),
            "normalizer_spec: expected rules whose trie and replacements stay inside, got unit 0");
        row("replacement outside", unknown + rules(0x100u | 0x41u, std::string("x\0", 2)),
            "normalizer_spec: expected rules whose trie and replacements stay inside, got unit 0 pointing beyond the "
            "replacements");
        row("replacements without end", unknown + rules(0, "xy"), "normalizer_spec: expected rules");
        row("denormaliser too", unknown + field(5, field(2, "abc")), "denormalizer_spec: expected rules");
    }

    void refuses_bad_models() {
        QFETCH(QByteArray, model);
        QFETCH(QByteArray, sentence);
        VERIFY_SENTENCE(load(model.toStdString()), "tokenizer.model: " + sentence.toStdString());
    }

    void refuses_tokenizers_that_are_no_files() {
        const Folder folder;
        std::filesystem::create_directory(folder.path() / "tokenizer.model");
        VERIFY_SENTENCE(error_of([&] { Tokenizer::load(folder.path(), kVocabulary); }),
                        "tokenizer.model: file: expected a regular file");
    }

    /// Whatever loads must also encode and decode without harm.
    void survives_truncation_and_flipped_bits() {
        const auto whole = model_bytes();
        const Folder folder;
        int loaded = 0, refused = 0;
        for (unsigned seed = 0; seed < 150; ++seed) {
            const auto cut = whole.substr(0, seed % 2 ? whole.size() : whole.size() * seed / 150);
            if (cut.empty()) continue;
            folder.write("tokenizer.model", with_flipped_bits(cut, cut.size(), seed));
            const auto said = error_of([&] {
                const auto t = Tokenizer::load(folder.path(), kVocabulary);
                text_of(t, t->encode("The quick brown fox\njumps \u2581 over 42 caf\u00e9s."));
            });
            said.empty() ? ++loaded : ++refused;
        }
        QVERIFY(loaded > 0 && refused > 0);
    }

    void complete_prefix_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("length");
        const auto row = [](const char* bytes, int length) {
            QTest::newRow(QByteArray(bytes).toHex().constData()) << QByteArray(bytes) << length;
        };
        row("", 0);
        row("abc", 3);
        row("a\xC3", 1);
        row("a\xC3\xA9", 3);
        row("\xE2\x96", 0);
        row("\xF0\x9F\x98", 0);
        row("\xF0\x9F\x98\x80", 4);
        row("x\xF0", 1);
        row("\x80\x80\x80\x80", 4);  // continuation bytes alone never become a character
        row("\xC0", 1);              // nor does an overlong lead byte
        row("\xF5", 1);              // nor one beyond U+10FFFF
        row("\xE0\x80", 2);          // overlong
        row("\xED\xA0", 2);          // surrogate
        row("\xF4\x90\x80", 3);      // beyond U+10FFFF
        row("\xE2\x96\x81\xE2", 3);
    }

    void complete_prefix() {
        QFETCH(QByteArray, bytes);
        QFETCH(int, length);
        QCOMPARE(static_cast<int>(complete_utf8_prefix(bytes.toStdString())), length);
    }

    void repair_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("text");
        // "?" stands for U+FFFD. The third row is the example of the Unicode standard, chapter 3.9.
        const auto row = [](const char* bytes, const char* text) {
            QTest::newRow(QByteArray(bytes).toHex().constData())
                << QByteArray(bytes) << QByteArray(text).replace("?", "\xEF\xBF\xBD");
        };
        row("plain \xC3\xA9", "plain \xC3\xA9");
        row("\xFF", "?");
        row("a\xF1\x80\x80\xE1\x80\xC2"
            "b\x80"
            "c\x80\xBF"
            "d",
            "a???b?c??d");
        row("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
            "A",
            "????????A");
        row("\xED\xA0\x80", "???");
        row("\xE2\x96", "?");
        row("\xF4\x91\x92\x93\xFF"
            "A",
            "?????A");
    }

    void repair() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, text);
        QCOMPARE(repair_utf8(bytes.toStdString()), text.toStdString());
    }

    /// Showing bytes as they come must give what repairing all of them at once gives.
    void streaming_equals_repairing() {
        std::mt19937 random(7);
        const std::string alphabet = "a\xC2\xA9\xE2\x96\x81\xF0\x9F\x98\x80\xED\xA0\xF4\x90\xFF";
        for (int round = 0; round < 2000; ++round) {
            std::string all;
            StreamDecoder decoder(tokenizer_);
            decoder.push(4 + 'x');
            std::string shown = "x";
            for (int i = 0; i < 12; ++i) {
                const auto byte = static_cast<unsigned char>(alphabet[random() % alphabet.size()]);
                all += static_cast<char>(byte);
                shown += decoder.push(4 + byte);
            }
            shown += decoder.flush();
            QCOMPARE(shown, "x" + repair_utf8(all));
        }
    }
};

QTEST_APPLESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
