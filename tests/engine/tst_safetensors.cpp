// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <array>
#include <cmath>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "io/checkpoint.hpp"
#include "io/content_hash.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

/// A file with this header, its true length in front, and `data_bytes` zeros behind.
std::string file_with(std::string_view header, std::size_t data_bytes) {
    std::string content(8, '\0');
    for (int i = 0; i < 8; ++i) content[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    return content.append(header).append(data_bytes, '\0');
}

const char* const kGood =
    R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}})";

}  // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

    std::string open(std::string_view content) {
        const auto file = folder_.write("t.safetensors", content);
        return error_of([&] { SafetensorsFile{file}; });
    }

    Folder folder_;

private slots:
    void reads_what_is_there() {
        const SafetensorsFile file(folder_.write("good.safetensors", file_with(kGood, 32)));
        QCOMPARE(file.names(), (std::vector<std::string>{"a", "b"}));
        const auto* a = file.find("a");
        QVERIFY(a);
        QCOMPARE(a->shape, (std::vector<std::int64_t>{2, 3}));
        QVERIFY(a->dtype == DType::F32);
        QVERIFY(!file.find("c"));
        QCOMPARE(file.entry("b")->dtype, std::string("I64"));
        QCOMPARE(file.entry("b")->data.size(), std::size_t{8});
        VERIFY_SENTENCE(error_of([&] { file.find("b"); }), "tensor b dtype: expected F32, F16 or BF16, got I64");
    }

    void refuses_bad_headers_data() {
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<int>("data");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, std::string header, int data, const char* sentence) {
            QTest::newRow(name) << QByteArray::fromStdString(header) << data << QByteArray(sentence);
        };
        const auto tensor = [](const char* members) { return std::string("{\"w\":{") + members + "}}"; };
        row("not JSON", "hello", 0, "header: expected JSON");
        row("a list", "[]", 0, "header: expected a JSON object, got a list of 0");
        row("NUL bytes", std::string(16, '\0'), 0, "header: expected JSON");
        row("depth bomb", std::string(100'000, '['), 0, "header: expected at most 4 nested values");
        row(
            "object bomb",
            [] {
                std::string s;
                for (int i = 0; i < 50'000; ++i) s += "{\"a\":";
                return s;
            }(),
            0, "header: expected at most 4 nested values");
        row("key twice", R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{}})", 0,
            "every key once, got \"w\" twice");
        row("tensor is a number", R"({"w":3})", 0, "tensor w: expected an object, got 3");
        row("no dtype", tensor(R"("shape":[1],"data_offsets":[0,4])"), 4, "tensor w dtype: expected a value, got nothing");
        row("no shape", tensor(R"("dtype":"F32","data_offsets":[0,4])"), 4,
            "tensor w shape: expected a value, got nothing");
        row("no offsets", tensor(R"("dtype":"F32","shape":[1])"), 4,
            "tensor w data_offsets: expected a value, got nothing");
        row("unknown dtype", tensor(R"("dtype":"F33","shape":[1],"data_offsets":[0,4])"), 4,
            "tensor w dtype: expected a type of the safetensors format");
        row("dtype is a number", tensor(R"("dtype":32,"shape":[1],"data_offsets":[0,4])"), 4,
            "tensor w dtype: expected a string, got 32");
        row("negative dimension", tensor(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), 4,
            "tensor w shape[0]: expected a whole number");
        row("fractional dimension", tensor(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), 4, "tensor w shape[0]");
        row("shape overflows", tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4])"), 4,
            "tensor w shape: expected a tensor smaller than 2^63 bytes");
        row("overflow hidden by zero", tensor(R"("dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0])"), 0,
            "tensor w shape");
        row("too many dimensions", tensor(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"), 4,
            "tensor w shape: expected a list of at most 8");
        row("shape is a number", tensor(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), 4,
            "tensor w shape: expected a list");
        row("one offset", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), 4,
            "tensor w data_offsets: expected a list of begin and end");
        row("end before begin", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), 4,
            "tensor w data_offsets: expected begin <= end, got 4 and 0");
        row("end beyond the file", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 4,
            "tensor w data_offsets[1]: expected a whole number from 0 to 4, got 8");
        row("negative offset", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])"), 4, "tensor w data_offsets[0]");
        row("64-bit offset", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0])"), 4,
            "tensor w data_offsets[0]");
        row("infinite offset", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[1e999,4])"), 4,
            "header: expected numbers a double can hold");
        row("size is not shape x dtype", tensor(R"("dtype":"F16","shape":[3],"data_offsets":[0,4])"), 4,
            "tensor w data_offsets: expected 6 bytes, as shape and dtype say, got 4");
        row("overlap",
            R"({"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
            8, "tensor w data_offsets: expected begin 8, where the tensor before it ends, got 4");
        row("gap",
            R"({"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
            12, "tensor w data_offsets: expected begin 4");
        row("data left over", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), 5,
            "data: expected 4 bytes, where the last tensor ends, got 5");
        row("metadata is no object", R"({"__metadata__":[]})", 0, "__metadata__: expected an object");
        row("metadata is no text", R"({"__metadata__":{"a":1}})", 0, "__metadata__.a: expected a string, got 1");
    }

    void refuses_bad_headers() {
        QFETCH(QByteArray, header);
        QFETCH(int, data);
        QFETCH(QByteArray, sentence);
        const auto said = open(file_with(header.toStdString(), static_cast<std::size_t>(data)));
        VERIFY_SENTENCE(said, sentence.toStdString());
        QVERIFY2(said.find("t.safetensors: ") != said.npos, said.c_str());
    }

    void refuses_lengths_that_lie() {
        VERIFY_SENTENCE(open("1234567"), "header length: expected 8 bytes, got a file of 7");
        VERIFY_SENTENCE(open(std::string(8, '\xff')), "header length: expected at most 0 bytes, got 18446744073709551615");
        auto longer = file_with(kGood, 0);
        VERIFY_SENTENCE(open(longer.substr(0, longer.size() - 1)), "header length: expected at most");
        VERIFY_SENTENCE(open(""), "file: expected content (copy it again), got an empty file");
    }

    void refuses_what_is_no_file() {
        VERIFY_SENTENCE(error_of([&] { SafetensorsFile(folder_.path() / "none"); }),
                        "none: file: expected a readable file (check the path)");
        VERIFY_SENTENCE(error_of([&] { SafetensorsFile(folder_.path()); }), "got a directory");
        VERIFY_SENTENCE(error_of([&] { SafetensorsFile("/dev/null"); }), "got a pipe or device");
    }

    void refuses_every_truncation() {
        const auto whole = file_with(kGood, 32);
        QCOMPARE(open(whole), std::string());
        for (std::size_t n = 0; n < whole.size(); ++n)
            QVERIFY2(!open(whole.substr(0, n)).empty(), qPrintable(QString::number(n)));
    }

    void survives_flipped_bits() {
        const auto whole = file_with(kGood, 32);
        int refused = 0;
        for (unsigned seed = 0; seed < 1000; ++seed) {
            const auto content = with_flipped_bits(whole, whole.size() - 32, seed);
            const auto file = folder_.write("t.safetensors", content);
            refused += !error_of([&] {
                            const SafetensorsFile opened(file);
                            for (const auto& name : opened.names()) opened.find(name);
                        }).empty();
        }
        QVERIFY(refused > 600);
    }

    void writes_what_it_reads() {
        const std::array<float, 4> f{1.5f, -2.0f, std::nanf(""), 3e-30f};
        const std::array<std::int32_t, 2> i{-7, 8};
        const std::vector<OutputTensor> tensors{{.name = "f", .shape = {2, 2}, .f32 = f},
                                                {.name = "i", .shape = {2}, .i32 = i},
                                                {.name = "none", .shape = {0, 5}}};
        const auto path = folder_.path() / "out.safetensors";
        write_safetensors(path, tensors, {{"format", "pt"}});
        const Golden file(path);
        QCOMPARE(file.file().metadata().at("format"), std::string("pt"));
        QCOMPARE(std::memcmp(file.floats("f").data(), f.data(), sizeof f), 0);
        QCOMPARE(file.shape("f"), (std::vector<std::int64_t>{2, 2}));
        QCOMPARE(file.ints("i"), (std::vector<int>{-7, 8}));
        QCOMPARE(file.shape("none"), (std::vector<std::int64_t>{0, 5}));
        int files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            files += entry.path().string().find(".part") != std::string::npos;
        QCOMPARE(files, 0);
    }

    void writing_fails_in_one_sentence() {
        const std::array<float, 1> f{1};
        const std::vector<OutputTensor> good{{.name = "f", .shape = {1}, .f32 = f}};
        const std::vector<OutputTensor> wrong{{.name = "f", .shape = {2}, .f32 = f}};
        VERIFY_SENTENCE(error_of([&] { write_safetensors(folder_.path() / "no" / "x", good); }),
                        "expected a file that can be created");
        VERIFY_SENTENCE(error_of([&] { write_safetensors(folder_.path(), good); }), "got a directory");
        VERIFY_SENTENCE(error_of([&] { write_safetensors(folder_.path() / "x", wrong); }),
                        "tensor f: expected 2 values of one type, got 1");
    }

    void reference_files_open_data() {
        QTest::addColumn<QByteArray>("config");
        for (const char* c : {"vanilla", "mor_expert_mc", "mor_expert_mc_kvshare"}) QTest::newRow(c) << QByteArray(c);
    }

    void reference_files_open() {
        QFETCH(QByteArray, config);
        const auto directory = reference_directory(config.toStdString());
        const Checkpoint checkpoint(directory);
        QCOMPARE(checkpoint.expect({"model.embed_tokens.weight"}, {128, 64}).bytes(), std::int64_t{128 * 64 * 4});
        const Golden golden(directory / "golden_causal.safetensors");
        QCOMPARE(golden.ints("tokens.p0").size(), std::size_t{17});
    }

    void first_candidate_wins() {
        folder_.write("model.safetensors", file_with(kGood, 32));
        const Checkpoint checkpoint(folder_.path());
        QVERIFY(&checkpoint.get({"none", "a"}) == checkpoint.find("a"));
        VERIFY_SENTENCE(error_of([&] {
                            checkpoint.get({"x", "y"});
                        }),
                        "model.safetensors: tensor: expected x or y, got none of that name");
        VERIFY_SENTENCE(error_of([&] {
                            checkpoint.expect({"x", "a"}, {3, 2});
                        }),
                        "tensor a shape: expected [3, 2], got [2, 3]");
        std::filesystem::remove(folder_.path() / "model.safetensors");
    }

    void reads_shards() {
        const Folder model;
        model.write("1.safetensors", file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4));
        model.write("2.safetensors", file_with(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4));
        model.write("model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
        const Checkpoint checkpoint(model.path());
        QCOMPARE(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
        QVERIFY(checkpoint.get({"b"}).dtype == DType::BF16);
    }

    void refuses_bad_indexes_data() {
        QTest::addColumn<QByteArray>("index");
        QTest::addColumn<QByteArray>("sentence");
        const auto row = [](const char* name, const char* index, const char* sentence) {
            QTest::newRow(name) << QByteArray(index) << QByteArray(sentence);
        };
        row("not JSON", "{", "index.json: content: expected JSON");
        row("no map", "{}", "weight_map: expected a value, got nothing");
        row("map is a list", R"({"weight_map":[]})", "weight_map: expected an object");
        row("file name is a number", R"({"weight_map":{"a":1}})", "weight_map a: expected a string, got 1");
        row("parent directory", R"({"weight_map":{"a":"../1.safetensors"}})",
            "weight_map a: expected the name of a file in the model's directory");
        row("absolute path", R"({"weight_map":{"a":"/etc/passwd"}})",
            "weight_map a: expected the name of a file in the model's directory");
        row("dots", R"({"weight_map":{"a":".."}})", "weight_map a: expected the name of a file");
        row("NUL", R"({"weight_map":{"a":"1.safetensors\u0000x"}})", "weight_map a: expected the name of a file");
        row("missing shard", R"({"weight_map":{"a":"3.safetensors"}})", "3.safetensors: file: expected a readable file");
        row("tensor elsewhere", R"({"weight_map":{"z":"1.safetensors"}})",
            "weight_map z: expected a file that holds this tensor, got \"1.safetensors\"");
    }

    void refuses_bad_indexes() {
        QFETCH(QByteArray, index);
        QFETCH(QByteArray, sentence);
        const Folder model;
        model.write("1.safetensors", file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4));
        model.write("model.safetensors.index.json", index.toStdString());
        VERIFY_SENTENCE(error_of([&] { Checkpoint{model.path()}; }), sentence.toStdString());
    }

    void refuses_a_directory_without_weights() {
        const Folder empty;
        VERIFY_SENTENCE(error_of([&] { Checkpoint{empty.path()}; }),
                        "weights: expected model.safetensors or model.safetensors.index.json, got neither");
    }

    void hash_tells_contents_apart() {
        const std::string text(100, 'x');
        const auto hash = [](std::initializer_list<std::string_view> parts) {
            ContentHash h;
            for (const auto part : parts) h.add(part);
            return h.value();
        };
        const auto whole = hash({text});
        QCOMPARE(whole, hash({text}));
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string other = text;
            other[i] = 'y';
            QVERIFY(hash({other}) != whole);
        }
        QVERIFY(hash({"ab", "c"}) != hash({"a", "bc"}));
        QVERIFY(hash({std::string_view("a\0", 2)}) != hash({"a"}));
        QCOMPARE(hex16(0x0123456789abcdefu), std::string("0123456789abcdef"));
    }

    void same_content_compares_bytes() {
        const std::array<float, 4> x{1, 2, 3, 4}, y{1, 2, 3, 4}, z{1, 2, 3, 5};
        const auto view = [](const auto& v, std::vector<std::int64_t> shape) {
            return TensorView{DType::F32, std::move(shape), reinterpret_cast<const std::byte*>(v.data())};
        };
        QVERIFY(same_content(view(x, {4}), view(y, {4})));
        QVERIFY(!same_content(view(x, {4}), view(z, {4})));
        QVERIFY(!same_content(view(x, {4}), view(y, {2, 2})));
    }
};

QTEST_APPLESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
