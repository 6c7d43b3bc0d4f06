// SPDX-License-Identifier: Apache-2.0
// What is said when CUDA cannot be used, in the engine and on the command line: under `auto` the CPU computes and the
// reason is told, under `cuda` the program fails with it.
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include <functional>

#include "backend/cuda_loader.hpp"
#include "mor/devices.hpp"
#include "mor/error.hpp"
#include "mor/model.hpp"

using namespace mor;

namespace {

const char kModel[] = MOR_TEST_DATA "/reference/mor_expert_mc";

/// An environment and the words that its sentence must have.
struct Case {
    QString module;                        ///< MOR_CUDA_MODULE
    std::map<QString, QString> emulation;  ///< further variables
    QStringList words;
};
using Cases = std::map<QString, Case>;

Cases cases() {
    const QString emulated = MOR_CUDA_EMULATED;
    return {
        {"no such file", {"/nowhere/libmor_cuda.so", {}, {"MOR_CUDA_MODULE", "not there", "/nowhere/libmor_cuda.so"}}},
        {"not a library", {MOR_TEST_DATA "/passage.txt", {}, {"cannot be opened", "morscope-cuda"}}},
        {"no entry", {MOR_FAKE_ENTRY, {}, {"expected a module of this build", "without mor_cuda_module"}}},
        {"another interface", {MOR_FAKE_ABI, {}, {"expected a module of this build", "interface 999", "morscope-cuda"}}},
        {"another build", {MOR_FAKE_BUILD, {}, {"expected a module of this build", "0.0.1-other", "morscope-cuda"}}},
        {"no cuBLAS", {MOR_FAKE_WITHOUT_CUBLAS, {}, {"cuBLAS is missing", "install", "LD_LIBRARY_PATH"}}},
        {"no device", {emulated, {{"MOR_CUDA_EMULATION_DEVICES", "0"}}, {"no NVIDIA GPU", "CUDA_VISIBLE_DEVICES"}}},
        {"no driver", {emulated, {{"MOR_CUDA_EMULATION_DRIVER", "0"}}, {"no NVIDIA driver", "install"}}},
        {"old driver",
         {emulated, {{"MOR_CUDA_EMULATION_DRIVER", "12040"}}, {"driver is too old", "CUDA 12.4", "needs 13.0", "update"}}},
        {"little memory", {emulated, {{"MOR_CUDA_EMULATION_MEMORY", "100K"}}, {"out of memory", "asked for", "free"}}},
    };
}

struct Result {
    int code = 0;
    QString output, errors;
};

/// Runs morscope-cli in the case's environment.
Result run(const Case& c, const QStringList& arguments) {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("MOR_CUDA_MODULE", c.module);
    for (const auto& [name, value] : c.emulation) environment.insert(name, value);
    process.setProcessEnvironment(environment);
    process.start(MOR_CLI, arguments);
    process.waitForFinished(120000);
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(),
            process.readAllStandardError()};
}

QStringList generate(const char* device) {
    return {"generate", kModel, "--tokens", "1,2,3", "--max-tokens", "2", "--ignore-eos", "--device", device};
}

const Case kWorking{MOR_CUDA_EMULATED, {}, {}};

}  // namespace

class CudaLoader : public QObject {
    Q_OBJECT

private slots:
    void all_cases() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, c] : cases()) QTest::newRow(qPrintable(name)) << name;
    }

    void asked_for_cuda_the_program_fails_and_says_why_data() { all_cases(); }
    void asked_for_cuda_the_program_fails_and_says_why() {
        QFETCH(QString, name);
        const Case c = cases().at(name);
        const Result got = run(c, generate("cuda"));
        qInfo("%s", qPrintable(got.errors.trimmed()));
        QCOMPARE(got.code, 1);
        QVERIFY(got.output.isEmpty());
        QCOMPARE(got.errors.count('\n'), 1);
        for (const QString& word : c.words) QVERIFY2(got.errors.contains(word), qPrintable(word));
        QVERIFY2(got.errors.contains("the CPU can be chosen instead"), qPrintable(got.errors));
    }

    void left_to_itself_the_cpu_computes_and_says_why_data() { all_cases(); }
    void left_to_itself_the_cpu_computes_and_says_why() {
        QFETCH(QString, name);
        const Case c = cases().at(name);
        const Result expected = run({}, generate("cpu")), got = run(c, generate("auto"));
        QCOMPARE(got.code, 0);
        QCOMPARE(got.output, expected.output);
        for (const QString& word : c.words) QVERIFY2(got.errors.contains(word), qPrintable(got.errors));
        QVERIFY2(got.errors.contains("the CPU computes"), qPrintable(got.errors));
        QVERIFY(!expected.errors.contains("CUDA"));
    }

    void a_working_device_is_used() {
        const Result cpu = run(kWorking, generate("cpu"));
        for (const char* device : {"cuda", "auto"}) {
            const Result got = run(kWorking, generate(device));
            QCOMPARE(got.code, 0);
            QCOMPARE(got.output, cpu.output);
            QVERIFY2(!got.errors.contains("CUDA"), qPrintable(got.errors));
        }
        const Result inspected = run(kWorking, {"inspect", kModel, "--device", "cuda"});
        QVERIFY2(inspected.output.contains("CUDA · "), qPrintable(inspected.output));
    }

    void every_command_takes_the_device() {
        QTemporaryDir folder;
        const QString text = MOR_TEST_DATA "/heldout/excerpt.txt", out = folder.filePath("out.safetensors");
        const QString tokens = "1,2,3,4";
        for (const QStringList& arguments :
             {QStringList{"generate", kModel, "--tokens", tokens, "--max-tokens", "1"}, QStringList{"inspect", kModel},
              QStringList{"dump", kModel, "--tokens", tokens, "--out", out},
              QStringList{"bench", kModel, "--prompt-tokens", "4", "--decode-tokens", "2", "--batch", "2"}}) {
            const Result works = run(kWorking, arguments + QStringList{"--device", "cuda"});
            QVERIFY2(works.code == 0, qPrintable(arguments.front() + ": " + works.errors));
            const Result fails = run(cases().at("no device"), arguments + QStringList{"--device", "cuda"});
            QVERIFY2(fails.code == 1 && fails.errors.contains("no NVIDIA GPU"), qPrintable(arguments.front()));
        }
        for (const char* command : {"perplexity", "analyze"}) {  // these need a tokenizer, and fail only at the device
            const Result fails = run(cases().at("no device"),
                                     {command, MOR_MODELS_DIR "/prose-expert-r3", "--text", text, "--device", "cuda"});
            QVERIFY2(fails.code == 1 && fails.errors.contains("no NVIDIA GPU"), qPrintable(fails.errors));
        }
    }

    void bench_shows_the_devices_own_times() {
        const QStringList arguments{"bench", kModel, "--prompt-tokens", "12", "--decode-tokens", "4", "--batch", "1"};
        const Result cuda = run(kWorking, arguments + QStringList{"--device", "cuda"});
        for (const char* word : {"ms on the device", "attention", "linear_add", "ffn_in", "pick"})
            QVERIFY2(cuda.output.contains(word), qPrintable(cuda.output + cuda.errors));
        const Result cpu = run(kWorking, arguments + QStringList{"--device", "cpu"});
        QVERIFY2(cpu.code == 0 && !cpu.output.contains("ms on the device"), qPrintable(cpu.output));
    }

    void devices_are_listed() {
        const Result works = run(kWorking, {"devices"});
        QCOMPARE(works.code, 0);
        for (const char* word : {"cpu", "cuda", "GiB", "compute capability"})
            QVERIFY2(works.output.contains(word), qPrintable(works.output));
        const Result json = run(kWorking, {"devices", "--json"});
        QCOMPARE(json.output.count('\n'), 2);
        QVERIFY2(json.output.contains("\"device\":\"cuda\"") && json.output.contains("\"problem\":\"\""),
                 qPrintable(json.output));
        for (const auto& [name, c] : cases()) {
            if (name == "little memory") continue;  // that is found when a model is loaded
            const Result got = run(c, {"devices"});
            QCOMPARE(got.code, 0);
            for (const QString& word : c.words) QVERIFY2(got.output.contains(word), qPrintable(got.output));
        }
    }

    void the_engine_says_the_same() {
        const Case c = cases().at("another build");
        qputenv("MOR_CUDA_MODULE", c.module.toUtf8());
        const auto devices = list_devices();
        QCOMPARE(devices.size(), std::size_t{2});
        QCOMPARE(devices[0].id, std::string("cpu"));
        QVERIFY(devices[0].problem.empty() && devices[0].memory > 0);
        QVERIFY(devices[1].problem.find("0.0.1-other") != std::string::npos);
        QVERIFY_EXCEPTION_THROWN(Model::load(kModel, {.device = "cuda"}), DeviceError);
        const auto model = Model::load(kModel, {.device = "auto"});
        QVERIFY(model->info().device.starts_with("CPU"));
        QVERIFY(model->info().device_note.starts_with(devices[1].problem));
        qunsetenv("MOR_CUDA_MODULE");
        QVERIFY_EXCEPTION_THROWN(Model::load(kModel, {.device = "tpu"}), Error);
        QCOMPARE(cuda::module_places().size(), std::size_t{2});  // beside the program, and where packages put it
    }

    void a_fault_of_the_model_is_not_the_devices() {
        const Result got = run(kWorking, {"generate", "/nowhere", "--tokens", "1", "--device", "auto"});
        QCOMPARE(got.code, 1);
        QVERIFY2(!got.errors.contains("the CPU computes"), qPrintable(got.errors));
    }
};

QTEST_GUILESS_MAIN(CudaLoader)
#include "tst_cuda_loader.moc"
