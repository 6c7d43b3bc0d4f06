// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cmath>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "io/json.hpp"
#include "mor/config.hpp"
#include "mor/model.hpp"
#include "mor/version.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

/// Sets the value at a JSON pointer such as /mor/type; the word "remove" takes the key away.
void edit(Json& json, const std::string& pointer, const std::string& value) {
    const Json::json_pointer place(pointer);
    if (value == "remove") {
        json[place.parent_pointer()].erase(place.back());
    } else {
        json[place] = Json::parse(value);
    }
}

}  // namespace

class TestConfig : public QObject {
    Q_OBJECT

    Json llama_, mor_;

    ModelConfig read(const Json& llama, const Json& mor) {
        const Folder model;
        model.write("config.json", llama.dump());
        if (!mor.is_null()) model.write("mor.json", mor.dump());
        return read_config(model.path());
    }

    /// mor.json with the given edits, a list of {pointer, value}.
    Json mor_with(const Json& edits) {
        Json json = mor_;
        for (const auto& [pointer, value] : edits.items()) edit(json, pointer, value);
        return json;
    }

private slots:
    void initTestCase() {
        const auto directory = reference_directory("mor_expert_mc");
        llama_ = Json::parse(read_all(directory / "config.json"));
        mor_ = Json::parse(read_all(directory / "mor.json"));
    }

    void reads_reference_configurations() {
        const auto expert = read_config(reference_directory("mor_expert_mc"));
        QCOMPARE(expert.llama.hidden_size, 64);
        QCOMPARE(expert.llama.head_dim, 16);
        QCOMPARE(expert.llama.num_key_value_heads, 2);
        QCOMPARE(expert.llama.eos_token_id, std::vector<int>{0});
        QCOMPARE(expert.llama.rms_norm_eps, 1e-5f);
        QVERIFY(expert.mor.sharing == Sharing::MiddleCycle);
        QVERIFY(expert.mor.routing == Routing::ExpertChoice);
        QVERIFY(expert.mor.kv_policy == KvPolicy::RecursionWise);
        QCOMPARE(expert.mor.num_recursion, 3);
        QCOMPARE(expert.mor.capacity, (std::vector<double>{1.0, 0.667, 0.333}));
        QCOMPARE(expert.mor.alpha, 0.1);
        QVERIFY(expert.mor.gated);
        QVERIFY(read_config(reference_directory("mor_expert_mc_kvshare")).mor.kv_policy == KvPolicy::RecursiveSharing);
        const auto vanilla = read_config(reference_directory("vanilla"));
        QVERIFY(vanilla.mor.sharing == Sharing::None);
        QCOMPARE(vanilla.mor.num_recursion, 0);
    }

    void no_mor_file_is_vanilla() {
        const auto config = read(llama_, Json());
        QVERIFY(config.mor.sharing == Sharing::None);
        QVERIFY(config.mor.routing == Routing::None);
        QVERIFY(config.mor.capacity.empty());
    }

    void fills_in_defaults() {
        const auto untold =
            read(llama_, mor_with({{"/mor/capacity", "null"}, {"/mor/expert/gating", "remove"}, {"/mor/temp", "remove"}}));
        QCOMPARE(untold.mor.capacity, (std::vector<double>{1.0, 2.0 / 3, 1.0 / 3}));
        QVERIFY(untold.mor.gated);
        QCOMPARE(untold.mor.temp, 1.0);
        const auto identity = read(llama_, mor_with({{"/mor/expert/router_func", "null"}, {"/mor/expert/gating", "null"}}));
        QVERIFY(identity.mor.router_func == RouterFunction::Identity);
        QCOMPARE(identity.mor.alpha, 1.0);
        QVERIFY(!identity.mor.gated);
        const auto softmax = read(llama_, mor_with({{"/mor/type", "\"token\""}, {"/mor/token", "{}"}}));
        QVERIFY(softmax.mor.router_func == RouterFunction::Softmax);
        QCOMPARE(softmax.mor.alpha, 1.0);
        const auto sigmoid =
            read(llama_, mor_with({{"/mor/type", "\"token\""}, {"/mor/token", "{\"router_func\":\"sigmoid\"}"}}));
        QCOMPARE(sigmoid.mor.alpha, 0.1);
        const auto listed = read(llama_, mor_with({{"/mor/capacity", "[1, 0.5, 0.25]"}}));
        QCOMPARE(listed.mor.capacity, (std::vector<double>{1.0, 0.5, 0.25}));
    }

    void derives_llama_fields() {
        Json llama = llama_;
        for (const char* key : {"head_dim", "num_key_value_heads", "eos_token_id", "rope_theta"}) llama.erase(key);
        const auto bare = read(llama, Json()).llama;
        QCOMPARE(bare.head_dim, 16);
        QCOMPARE(bare.num_key_value_heads, 4);
        QCOMPARE(bare.rope_theta, 10000.0);
        QVERIFY(bare.eos_token_id.empty());
        llama["eos_token_id"] = {1, 2};
        llama["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500000.0}};
        const auto newer = read(llama, Json()).llama;
        QCOMPARE(newer.eos_token_id, (std::vector<int>{1, 2}));
        QCOMPARE(newer.rope_theta, 500000.0);
    }

    void refuses_bad_llama_data() {
        QTest::addColumn<QByteArray>("pointer");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const char* pointer, const char* value, const char* sentence) {
            QTest::newRow(name) << QByteArray(pointer) << QByteArray(value) << QByteArray(sentence);
        };
        row("other family", "/model_type", "\"mistral\"",
            "model_type: expected \"llama\", the only architecture of this build, got \"mistral\"");
        row("other class", "/architectures", "[\"LlamaForSequenceClassification\"]",
            "architectures: expected a list with \"LlamaForCausalLM\"");
        for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                                "vocab_size", "max_position_embeddings", "rms_norm_eps"}) {
            QTest::addRow("no %s", key) << QByteArray("/") + key << QByteArray("remove")
                                        << QByteArray(key) + ": expected a value, got nothing";
            QTest::addRow("zero %s", key) << QByteArray("/") + key << QByteArray("0") << QByteArray(key) + ": expected a";
            QTest::addRow("text %s", key) << QByteArray("/") + key << QByteArray("\"64\"")
                                          << QByteArray(key) + ": expected a";
        }
        row("negative size", "/hidden_size", "-64", "hidden_size: expected a whole number from 1 to 1048576, got -64");
        row("huge size", "/vocab_size", "4294967424",
            "vocab_size: expected a whole number from 1 to 1048576, got 4294967424");
        row("huge unsigned size", "/vocab_size", "18446744073709551615", "vocab_size: expected a whole number");
        row("fraction", "/num_hidden_layers", "8.5", "num_hidden_layers: expected a whole number from 1 to 4096, got 8.5");
        row("heads not divisible", "/num_key_value_heads", "3",
            "num_key_value_heads: expected a divisor of num_attention_heads 4, got 3");
        row("odd head_dim", "/head_dim", "15", "head_dim: expected an even number");
        row("huge head_dim", "/head_dim", "1000000", "head_dim: expected a whole number from 2 to 4096");
        row("activation", "/hidden_act", "\"gelu\"", "hidden_act: expected \"silu\", got \"gelu\"");
        row("negative theta", "/rope_theta", "-1.0", "rope_theta: expected a number from");
        row("scaled rope", "/rope_scaling", "{\"rope_type\":\"yarn\"}", "rope_scaling: expected null");
        row("scaled rope, newer", "/rope_parameters", "{\"rope_type\":\"yarn\"}",
            "rope_parameters.rope_type: expected \"default\"");
        row("attention bias", "/attention_bias", "true", "attention_bias: expected false");
        row("mlp bias", "/mlp_bias", "true", "mlp_bias: expected false");
        row("sliding window", "/sliding_window", "128", "sliding_window: expected null");
        row("quantized", "/quantization_config", "{}", "quantization_config: expected null");
        row("eos outside", "/eos_token_id", "128", "eos_token_id: expected a whole number from 0 to 127, got 128");
        row("eos in list outside", "/eos_token_id", "[0,-1]",
            "eos_token_id[1]: expected a whole number from 0 to 127, got -1");
        row("eos text", "/eos_token_id", "\"</s>\"", "eos_token_id: expected a whole number");
    }

    void refuses_bad_llama() {
        QFETCH(QByteArray, pointer);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, sentence);
        Json llama = llama_;
        edit(llama, pointer.toStdString(), value.toStdString());
        VERIFY_SENTENCE(error_of([&] { read(llama, Json()); }), "config.json: " + sentence.toStdString());
    }

    void accepts_an_unused_window() {
        Json llama = llama_;
        llama["sliding_window"] = 128;
        llama["use_sliding_window"] = false;
        QCOMPARE(read(llama, Json()).llama.hidden_size, 64);
    }

    void head_dim_must_come_out_even() {
        Json llama = llama_;
        llama.erase("head_dim");
        llama["hidden_size"] = 66;
        VERIFY_SENTENCE(error_of([&] { read(llama, Json()); }),
                        "hidden_size: expected hidden_size / num_attention_heads to be an even whole number, got 66 / 4");
    }

    void refuses_bad_mor_data() {
        QTest::addColumn<QByteArray>("edits");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const Json& edits, const char* sentence) {
            QTest::newRow(name) << QByteArray::fromStdString(edits.dump()) << QByteArray(sentence);
        };
        const std::string t = "true";
        row("no recursive", {{"/recursive", "remove"}}, "recursive: expected a value, got nothing");
        row("recursive is text", {{"/recursive", "\"on\""}}, "recursive: expected an object");
        row("enable is a number", {{"/recursive/enable", "1"}}, "recursive.enable: expected true or false, got 1");
        row("unknown sharing", {{"/recursive/sharing", "\"loop\""}},
            "recursive.sharing: expected \"cycle\", \"sequence\", \"middle_cycle\" or \"middle_sequence\", got \"loop\"");
        row("sharing null", {{"/recursive/sharing", "null"}}, "recursive.sharing: expected");
        row("no recursions", {{"/recursive/num_recursion", "0"}},
            "recursive.num_recursion: expected a whole number from 1 to 64, got 0");
        row("layers left over", {{"/recursive/num_recursion", "4"}},
            "num_hidden_layers 8 - 2 own layers = 6 is not divisible by num_recursion 4");
        row("fewer layers than recursions", {{"/recursive/num_recursion", "12"}},
            "= 6 is not divisible by num_recursion 12");
        row("base_depth", {{"/recursive/base_depth", "3"}}, "recursive.base_depth: expected null or 2");
        row("router without recursion", {{"/recursive/enable", "false"}},
            "mor.enable: expected false, because recursive.enable is false");
        row("KV sharing without recursion",
            {{"/recursive/enable", "false"}, {"/mor/enable", "false"}, {"/kv_sharing/enable", t}},
            "kv_sharing.enable: expected false, because recursive.enable is false");
        row("KV sharing with middle_sequence",
            {{"/recursive/sharing", "\"middle_sequence\""}, {"/mor/enable", "false"}, {"/kv_sharing/enable", t}},
            "kv_sharing.enable: expected false with sharing \"middle_sequence\"");
        row("update_cache", {{"/kv_sharing/enable", t}, {"/kv_sharing/update_cache", t}},
            "kv_sharing.update_cache: expected false");
        row("KV sharing of another kind", {{"/kv_sharing/enable", t}, {"/kv_sharing/sharing", "\"cycle\""}},
            "kv_sharing.sharing: expected null or recursive.sharing \"middle_cycle\"");
        row("KV sharing of another count", {{"/kv_sharing/enable", t}, {"/kv_sharing/num_recursion", "2"}},
            "kv_sharing.num_recursion: expected null or recursive.num_recursion 3, got 2");
        row("relaxation", {{"/relaxation/enable", t}},
            "relaxation.enable: expected false (LoRA relaxation is not implemented)");
        row("unknown router", {{"/mor/type", "\"dense\""}}, "mor.type: expected \"expert\" or \"token\", got \"dense\"");
        row("router on middle_sequence", {{"/recursive/sharing", "\"middle_sequence\""}},
            "mor.enable: expected false with sharing \"middle_sequence\"");
        row("unknown router shape", {{"/mor/router_type", "\"deep\""}},
            "mor.router_type: expected \"linear\", \"mlp\" or \"wide_mlp\", got \"deep\"");
        row("random router", {{"/mor/rand_router", t}}, "mor.rand_router: expected false");
        row("zero temperature", {{"/mor/temp", "0"}}, "mor.temp: expected a number from");
        row("no expert section", {{"/mor/expert", "remove"}}, "mor.expert: expected a value, got nothing");
        row("unknown function", {{"/mor/expert/router_func", "\"softmax\""}},
            "mor.expert.router_func: expected \"sigmoid\" or \"tanh\", got \"softmax\"");
        row("no alpha", {{"/mor/expert/alpha", "remove"}}, "mor.expert.alpha: expected a value, got nothing");
        row("unknown sampling", {{"/mor/expert/sampling", "\"dice\""}},
            "mor.expert.sampling: expected \"aux_loss\" or \"aux_router\", got \"dice\"");
        row("gating is a number", {{"/mor/expert/gating", "1"}}, "mor.expert.gating: expected a string");
        row("capacity too short", {{"/mor/capacity", "\"1.0,0.5\""}},
            "mor.capacity: expected 3 shares, one for each recursion, got 2");
        row("capacity is words", {{"/mor/capacity", "\"1.0,half,0.3\""}},
            "mor.capacity: expected numbers separated by commas");
        row("capacity with a hole", {{"/mor/capacity", "\"1.0,,0.3\""}},
            "mor.capacity: expected numbers separated by commas");
        row("capacity NaN", {{"/mor/capacity", "\"1.0,nan,0.3\""}}, "mor.capacity: expected shares above 0 and up to 1");
        row("capacity zero", {{"/mor/capacity", "[1,0,1]"}}, "mor.capacity: expected shares above 0 and up to 1");
        row("capacity above one", {{"/mor/capacity", "[1,2,1]"}}, "mor.capacity[1]: expected a number from 0 to 1, got 2");
        row("token, unknown function", {{"/mor/type", "\"token\""}, {"/mor/token/router_func", "\"tanh\""}},
            "mor.token.router_func: expected \"softmax\" or \"sigmoid\", got \"tanh\"");
        row("token, unknown balancing", {{"/mor/type", "\"token\""}, {"/mor/token/balancing", "\"even\""}},
            "mor.token.balancing: expected \"loss\" or \"loss_free\", got \"even\"");
    }

    void refuses_bad_mor() {
        QFETCH(QByteArray, edits);
        QFETCH(QByteArray, sentence);
        const auto mor = mor_with(Json::parse(edits.toStdString()));
        const auto said = error_of([&] { read(llama_, mor); });
        VERIFY_SENTENCE(said, sentence.toStdString());
        VERIFY_SENTENCE(said, "mor.json: ");
    }

    void refuses_cycle_where_it_cannot_run() {
        Json llama = llama_;
        llama["num_hidden_layers"] = 6;
        VERIFY_SENTENCE(error_of([&] {
                            read(llama, mor_with({{"/recursive/sharing", "\"cycle\""}, {"/mor/type", "\"token\""}}));
                        }),
                        "mor.type: expected \"expert\" with sharing \"cycle\"");
        VERIFY_SENTENCE(error_of([&] {
                            read(llama, mor_with({{"/recursive/sharing", "\"sequence\""}}));
                        }),
                        "mor.enable: expected false with sharing \"sequence\"");
        llama["num_hidden_layers"] = 9;
        VERIFY_SENTENCE(error_of([&] { read(llama, mor_); }),
                        "num_hidden_layers 9 - 2 own layers = 7 is not divisible by num_recursion 3");
    }

    void refuses_files_that_are_no_json_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const QByteArray& content, const char* sentence) {
            QTest::newRow(name) << content << QByteArray(sentence);
        };
        row("empty", "", "config.json: content: expected JSON");
        row("torn", "{\"hidden_size\":", "config.json: content: expected JSON");
        row("bytes", QByteArray("\xff\xfe\0\0", 4), "config.json: content: expected JSON");
        row("two values", "{}{}", "config.json: content: expected JSON");
        row("a list", "[]", "config.json: content: expected an object");
        row("key twice", "{\"a\":1,\"a\":2}", "config.json: content: expected every key once, got \"a\" twice");
        row("depth bomb", QByteArray(500'000, '['), "config.json: content: expected at most 32 nested values");
        row("too large", QByteArray(2 << 20, ' '), "config.json: file: expected at most 1048576 bytes");
        row("bad UTF-8 in a string", "{\"model_type\":\"\xc3\"}", "config.json: content: expected JSON");
    }

    void refuses_files_that_are_no_json() {
        QFETCH(QByteArray, content);
        QFETCH(QByteArray, sentence);
        const Folder model;
        model.write("config.json", {content.constData(), static_cast<std::size_t>(content.size())});
        VERIFY_SENTENCE(error_of([&] { read_config(model.path()); }), sentence.toStdString());
    }

    void refuses_directories_without_a_model() {
        const Folder empty;
        VERIFY_SENTENCE(
            error_of([&] { read_config(empty.path()); }),
            "config.json: expected a Hugging Face Llama configuration (choose a model's directory), got no such file");
        VERIFY_SENTENCE(error_of([&] { read_config(empty.path() / "none"); }), "got no such directory");
    }

    void survives_flipped_bits() {
        const auto llama = llama_.dump(), mor = mor_.dump();
        const Folder model;
        int refused = 0;
        for (unsigned seed = 0; seed < 1000; ++seed) {
            model.write("config.json", seed % 2 ? with_flipped_bits(llama, llama.size(), seed) : llama);
            model.write("mor.json", seed % 2 ? mor : with_flipped_bits(mor, mor.size(), seed));
            refused += !error_of([&] { read_config(model.path()); }).empty();
        }
        QVERIFY(refused > 300 && refused < 1000);
    }

    void lists_models() {
        const Folder root;
        const auto place = [&](const char* name, const char* card) {
            std::filesystem::create_directory(root.path() / name);
            root.write(std::string(name) + "/config.json", llama_.dump());
            if (card) root.write(std::string(name) + "/card.json", card);
        };
        place("b", R"({"name":"Zebra","summary":"Reads and writes.","prompt":"Once"})");
        root.write("b/mor.json", mor_.dump());
        place("a", nullptr);
        place("broken", "{");
        std::filesystem::create_directory(root.path() / "no-model");
        root.write("a-file", "x");
        const auto models = list_models(root.path());
        QCOMPARE(models.size(), std::size_t{2});
        QCOMPARE(models[0].name, std::string("Zebra"));
        QCOMPARE(models[0].kind, std::string("expert choice, 3 recursions"));
        QCOMPARE(models[0].summary, std::string("Reads and writes."));
        QCOMPARE(models[0].prompt, std::string("Once"));
        QCOMPARE(models[1].name, std::string("a"));
        QVERIFY(models[1].prompt.empty());
        QCOMPARE(models[1].kind, std::string("vanilla"));
        QVERIFY(list_models(root.path() / "none").empty());
        VERIFY_SENTENCE(error_of([&] { describe_model(root.path() / "broken"); }), "card.json: content: expected JSON");
        QCOMPARE(describe_model(reference_directory("mor_expert_mc_kvshare")).kind,
                 std::string("expert choice, 3 recursions, KV sharing"));
    }

    void names_are_those_of_the_files() {
        QCOMPARE(name_of(Sharing::MiddleCycle), "middle_cycle");
        QCOMPARE(name_of(Routing::ExpertChoice), "expert");
        QCOMPARE(name_of(KvPolicy::RecursionWise), "recursion-wise");
        QCOMPARE(name_of(SelectionRule::TopK), "topk");
        QCOMPARE(name_of(ExpertSampling::AuxRouter), "aux_router");
        QCOMPARE(name_of(Outcome::KvOnly), "kv-only");
        QCOMPARE(name_of(Finish::MaxTokens), "max-tokens");
        QCOMPARE(name_of(DType::BF16), "bf16");
        QCOMPARE(QString(version()).count('.'), 2);
    }
};

QTEST_APPLESS_MAIN(TestConfig)
#include "tst_config.moc"
