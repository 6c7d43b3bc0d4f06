// SPDX-License-Identifier: GPL-3.0-or-later
// The window's device chooser: what it offers, what it says about devices that cannot be used, and that a choice loads
// the model there and is remembered.
#include <QMenu>
#include <QSignalSpy>
#include <QTest>

#include "gui/controls/device_chooser.hpp"
#include "gui/controls/error_bar.hpp"
#include "gui/controls/header_bar.hpp"
#include "gui/window/main_window.hpp"

using namespace mor::ui;

namespace {

const mor::Device kCpu{.id = "cpu", .name = "avx2, 2 cores", .memory = std::int64_t{16} << 30, .free_memory = 1 << 30};
const mor::Device kGpu{.id = "cuda",
                       .name = "NVIDIA H100 PCIe",
                       .capability = "9.0",
                       .memory = std::int64_t{80} << 30,
                       .free_memory = std::int64_t{79} << 30};
const mor::Device kNone{.id = "cuda", .problem = "CUDA: no NVIDIA driver on this machine; install the driver of your GPU"};

/// The menu as it opens.
QList<QAction*> entries(DeviceChooser& chooser) {
    emit chooser.menu()->aboutToShow();
    return chooser.menu()->actions();
}

QAction* entry(DeviceChooser& chooser, const QString& id) {
    for (QAction* a : entries(chooser))
        if (a->data().toString() == id) return a;
    return nullptr;
}

}  // namespace

class DeviceChooserTest : public QObject {
    Q_OBJECT

private slots:
    void devices_have_name_memory_and_capability() {
        DeviceChooser chooser([] { return std::vector{kCpu, kGpu}; });
        const auto all = entries(chooser);
        QCOMPARE(all.size(), 3);
        QVERIFY(all[0]->isChecked());
        for (const char* word : {"avx2, 2 cores", "16.0 GiB", "1.0 GiB free"})
            QVERIFY2(all[1]->text().contains(word), qPrintable(all[1]->text()));
        for (const char* word : {"NVIDIA H100 PCIe", "80.0 GiB", "79.0 GiB free", "compute capability 9.0"})
            QVERIFY2(all[2]->text().contains(word), qPrintable(all[2]->text()));
        for (const QAction* a : all) QVERIFY(a->isEnabled() && !a->toolTip().isEmpty());
    }

    void a_device_that_cannot_be_used_says_why() {
        DeviceChooser chooser([] { return std::vector{kCpu, kNone}; });
        const QAction* cuda = entry(chooser, "cuda");
        QVERIFY(cuda && !cuda->isEnabled());
        QCOMPARE(cuda->toolTip(), QString::fromStdString(kNone.problem));
        QVERIFY(cuda->text().startsWith("CUDA: no NVIDIA driver"));
    }

    void only_the_first_gpu_can_be_chosen() {
        DeviceChooser chooser([] { return std::vector{kCpu, kGpu, kGpu}; });
        const auto all = entries(chooser);
        QVERIFY(all[2]->isEnabled());
        QVERIFY(!all[3]->isEnabled());
        QVERIFY(all[3]->toolTip().contains("CUDA_VISIBLE_DEVICES"));
    }

    void a_choice_is_told_once() {
        DeviceChooser chooser([] { return std::vector{kCpu, kGpu}; });
        QSignalSpy chosen(&chooser, &DeviceChooser::chosen);
        entry(chooser, "cuda")->trigger();
        QCOMPARE(chosen.size(), 1);
        QCOMPARE(chosen[0][0].toString(), QString("cuda"));
        QVERIFY(entry(chooser, "cuda")->isChecked());
        entry(chooser, "cuda")->trigger();
        QCOMPARE(chosen.size(), 1);
    }

    void a_fallback_is_shown() {
        DeviceChooser chooser([] { return std::vector{kCpu, kNone}; });
        chooser.showDevice("CPU · avx2 · 1 thread", "CUDA: no driver; the CPU computes");
        QCOMPARE(chooser.text(), QString("CPU · avx2 · 1 thread"));
        QCOMPARE(chooser.toolTip(), QString("CUDA: no driver; the CPU computes"));
        QCOMPARE(entries(chooser).back()->text(), QString("CUDA: no driver; the CPU computes"));
        QVERIFY(!entries(chooser).back()->isEnabled());
    }

    void the_window_loads_the_model_there_and_remembers() {
        qputenv("MOR_CUDA_MODULE", MOR_CUDA_EMULATED);
        const QString model = QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc");
        Settings settings;
        settings.device = QStringLiteral("cpu");
        Settings saved;
        MainWindow window(settings, [&](const Settings& s) { saved = s; }, {});
        window.show();
        window.openModel(model);
        DeviceChooser& chooser = *window.header()->device();
        QTRY_VERIFY_WITH_TIMEOUT(chooser.text().startsWith("CPU"), 60000);
        QVERIFY(entry(chooser, "cpu")->isChecked());
        entry(chooser, "cuda")->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(chooser.text().startsWith("CUDA"), 60000);
        QVERIFY(window.errorBar()->sentence().isEmpty());
        window.close();
        QCOMPARE(saved.device, QString("cuda"));

        qputenv("MOR_CUDA_MODULE", "/nowhere.so");  // the next start is on a machine without it
        MainWindow again(saved, {}, {});
        again.openModel(model);
        QTRY_VERIFY_WITH_TIMEOUT(again.errorBar()->sentence().contains("/nowhere.so"), 60000);
        entry(*again.header()->device(), "auto")->trigger();
        QVERIFY(again.feed().state() != EngineState::Loading);  // no model was ever open, so there is none to load again
        again.openModel(model);
        QTRY_VERIFY_WITH_TIMEOUT(again.header()->device()->text().startsWith("CPU"), 60000);
        QVERIFY(again.header()->device()->toolTip().contains("the CPU computes"));
        qunsetenv("MOR_CUDA_MODULE");
    }
};

QTEST_MAIN(DeviceChooserTest)
#include "tst_device_chooser.moc"
