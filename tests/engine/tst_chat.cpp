// SPDX-License-Identifier: Apache-2.0
#include <QProcess>
#include <QTest>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "io/json.hpp"
#include "mor/chat.hpp"
#include "mor/tokenizer.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

/// SmolLM2's template; line breaks inside its strings stand as themselves.
const std::string kChatMl =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are "
    "a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}";

/// What transformers' apply_chat_template writes for one turn "Hi" under it.
const std::string kHi =
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
}

/// A tokenizer.json of 100 ids: printable ASCII, line break and the marks of ChatML, without merges.
Json small_tokenizer() {
    Json vocabulary = Json::object();
    int next = 0;
    for (char c = '!'; c <= '~'; ++c) vocabulary[std::string(1, c)] = next++;
    for (const char* token : {"\xC4\xA0", "\xC4\x8A", "<|im_start|>", "<|im_end|>"}) vocabulary[token] = next++;
    const auto mark = [&](const char* content) {
        return Json{{"id", vocabulary[content]}, {"content", content}, {"normalized", false}, {"special", true}};
    };
    const Json byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}};
    return {{"added_tokens", {mark("<|im_start|>"), mark("<|im_end|>")}},
            {"pre_tokenizer", byte_level},
            {"decoder", byte_level},
            {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
}

struct Run {
    int code = 0;
    std::string out, error;
};

Run run_cli(const QStringList& arguments) {
    QProcess process;
    process.start(MOR_CLI, arguments);
    process.waitForFinished(60000);
    return {process.exitCode(), process.readAllStandardOutput().toStdString(),
            process.readAllStandardError().toStdString()};
}

}  // namespace

class TestChat : public QObject {
    Q_OBJECT

private slots:
    void a_directory_without_a_template_has_none() {
        const Folder folder;
        QVERIFY(!ChatTemplate::load(folder.path()));
        folder.write("tokenizer_config.json", R"({"add_bos_token": false, "chat_template": null})");
        QVERIFY(!ChatTemplate::load(folder.path()));
    }

    void chatml_is_recognised_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<bool>("has_system");
        const auto config = [](const Json& value) {
            return QByteArray::fromStdString(Json{{"chat_template", value}}.dump());
        };
        const auto begin = kChatMl.find("{% if loop"), end = kChatMl.find("{{'<|im_start|>' +");
        const std::string plain = kChatMl.substr(0, begin) + kChatMl.substr(end);
        const char* name = "tokenizer_config.json";
        QTest::newRow("SmolLM2") << name << config(kChatMl) << true;
        QTest::newRow("escaped line breaks") << name << config(replaced(kChatMl, "\n", "\\n")) << true;
        QTest::newRow("without system") << name << config(plain) << false;
        QTest::newRow("list") << name
                              << config(Json::array({Json{{"name", "tool"}, {"template", "x"}},
                                                     Json{{"name", "default"}, {"template", kChatMl}}}))
                              << true;
        QTest::newRow("own file") << "chat_template.jinja" << QByteArray::fromStdString(kChatMl) << true;
    }
    void chatml_is_recognised() {
        QFETCH(QString, file);
        QFETCH(QByteArray, content);
        QFETCH(bool, has_system);
        const Folder folder;
        folder.write(file.toStdString(), content.toStdString());
        const auto chat = ChatTemplate::load(folder.path());
        QVERIFY(chat);
        QCOMPARE(chat->first_turn("Hi"), has_system ? kHi : kHi.substr(kHi.find("<|im_start|>user")));
    }

    void other_templates_are_refused_data() {
        QTest::addColumn<QByteArray>("jinja");
        QTest::newRow("empty") << QByteArray("");
        QTest::newRow("other loop") << QByteArray("{% for m in messages %}{{ m }}{% endfor %}");
        QTest::newRow("something behind") << QByteArray::fromStdString(kChatMl + " ");
        QTest::newRow("cut") << QByteArray::fromStdString(kChatMl.substr(0, 90));
        QTest::newRow("escape in system") << QByteArray::fromStdString(replaced(kChatMl, "named ", "named\\t"));
        QTest::newRow("other mark") << QByteArray::fromStdString(replaced(kChatMl, "<|im_end|>' +", "</s>' +"));
    }
    void other_templates_are_refused() {
        QFETCH(QByteArray, jinja);
        const Folder folder;
        folder.write("tokenizer_config.json", Json{{"chat_template", jinja.toStdString()}}.dump());
        VERIFY_SENTENCE(error_of([&] { ChatTemplate::load(folder.path()); }), "tokenizer_config.json: chat_template");
        folder.write("chat_template.json",
                     R"({"system": "S ", "user_prefix": "U ", "user_suffix": " E ", "assistant_prefix": "A "})");
        QCOMPARE(ChatTemplate::load(folder.path())->first_turn("Hi"), std::string("S U Hi E A "));
    }

    void broken_parts_are_refused_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("part");
        QTest::newRow("no JSON") << QByteArray("{") << "expected JSON";
        QTest::newRow("list") << QByteArray("[]") << "expected an object";
        QTest::newRow("field missing") << QByteArray(R"({"system": "", "user_prefix": "", "user_suffix": ""})")
                                       << "assistant_prefix: expected a value";
        QTest::newRow("number") << QByteArray(R"({"system": 1})") << "system: expected a string";
        QTest::newRow("unknown field")
            << QByteArray(R"({"system": "", "user_prefix": "", "user_suffix": "", "assistant_prefix": "", "tools": ""})")
            << "tools: expected no field";
    }
    void broken_parts_are_refused() {
        QFETCH(QByteArray, content);
        QFETCH(QString, part);
        const Folder folder;
        folder.write("chat_template.json", content.toStdString());
        VERIFY_SENTENCE(error_of([&] { ChatTemplate::load(folder.path()); }), part.toStdString());
    }

    void the_command_line_puts_the_template_around_the_prompt() {
        const Folder model;
        for (const char* name : {"config.json", "model.safetensors"})
            std::filesystem::copy_file(reference_directory("vanilla") / name, model.path() / name);
        model.write("tokenizer.json", small_tokenizer().dump());
        const QString directory = QString::fromStdString(model.path().string());
        const QStringList command{"generate", directory, "--prompt", "Hi", "--max-tokens", "1", "--json", "--chat"};
        const Run without = run_cli(command);
        QCOMPARE(without.code, 1);
        VERIFY_SENTENCE(without.error.substr(0, without.error.find('\n')), "--chat: expected a model with a chat template");

        model.write("tokenizer_config.json", Json{{"chat_template", kChatMl}}.dump());
        const Run with = run_cli(command);
        QVERIFY2(with.code == 0, with.error.c_str());
        std::vector<int> prompt;
        std::istringstream lines(with.out);
        for (std::string line; std::getline(lines, line);) {
            const Json record = Json::parse(line);
            if (record["type"] == "token" && record["prompt"] == true) prompt.push_back(record["token"].get<int>());
        }
        QCOMPARE(prompt, Tokenizer::load(model.path(), 128)->encode(kHi));
        QCOMPARE(run_cli({"generate", directory, "--tokens", "1,2", "--chat"}).code, 2);
    }
};

QTEST_GUILESS_MAIN(TestChat)
#include "tst_chat.moc"
