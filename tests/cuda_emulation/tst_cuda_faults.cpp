// SPDX-License-Identifier: Apache-2.0
#include <QProcess>
#include <QRegularExpression>
#include <QTest>
#include <set>

#include "cuda_emulation/sanitizers.hpp"

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kRaces = true;
#else
constexpr bool kRaces = false;
#endif
constexpr bool kAddresses = cuda_emulation::kAddressSanitizer;

/// A planted fault, its right twin, and what its process says in each build; "" where it passes unseen.
struct Row {
    const char* fault;
    const char* twin;
    const char* plain;
    const char* address;  ///< with AddressSanitizer and UndefinedBehaviorSanitizer
    const char* thread;   ///< with ThreadSanitizer
};

const char kWrong[] = "wrong value";
const char kRace[] = "ThreadSanitizer: data race";
const char kOverflow[] = "AddressSanitizer: heap-buffer-overflow";

constexpr Row kRows[] = {
    {"missing-barrier", "right-barrier", kWrong, kWrong, kRace},
    {"missing-second-barrier", "right-second-barrier", kWrong, kWrong, kRace},
    {"missing-syncwarp", "right-syncwarp", kWrong, kWrong, kRace},
    {"divergent-barrier", "right-branch", "divergent barrier", "divergent barrier", "divergent barrier"},
    {"barrier-after-return", "right-return", "divergent barrier", "divergent barrier", "divergent barrier"},
    {"warp-waits-for-barrier", "right-warp-and-barrier", "divergent barrier|deadlock", "divergent barrier|deadlock",
     "divergent barrier|deadlock"},
    // One block runs after the other and nothing interrupts a thread: only the missing order can be seen.
    {"lost-atomic", "right-atomic", "", "", kRace},
    {"missing-fence", "right-fence", "", "", kRace},
    {"shuffle-from-inactive-lane", "right-shuffle", "does not take part", "does not take part", "does not take part"},
    {"caller-not-in-mask", "right-mask", "leaves out lane 31", "leaves out lane 31", "leaves out lane 31"},
    {"two-masks", "right-masks", "while lanes wait at", "while lanes wait at", "while lanes wait at"},
    {"shared-overrun", "right-shared", "behind the end of place", "index 64 out of bounds", "behind the end of place"},
    {"dynamic-overrun", "right-dynamic", "behind the end of dynamic", "AddressSanitizer: use-after-poison",
     "behind the end of dynamic"},
    {"global-write", "right-write", "behind its end", kOverflow, "behind its end"},
    {"global-read", "right-read", kWrong, kOverflow, kWrong},
    {"misaligned-load", "right-load", "", "misaligned address", ""},
    {"use-after-free", "right-free", "argument 1 is device memory of 256 bytes .* freed at",
     "argument 1 is device memory of 256 bytes .* freed at", "argument 1 is device memory of 256 bytes .* freed at"},
    {"double-free", "right-single-free", "freed at", "freed at", "freed at"},
    {"uninitialised", "right-initialised", kWrong, kWrong, kWrong},
    {"leak", "right-freed", "leak: device memory of 64 bytes", "leak: device memory of 64 bytes",
     "leak: device memory of 64 bytes"},
    {"host-pointer", "right-pinned", "the device can't reach", "the device can't reach", "the device can't reach"},
    {"host-follows-device-pointer", "right-read-back", "", "AddressSanitizer: use-after-poison", ""},
    {"copy-overrun", "right-copy", "bytes 0 to 20 of it", "bytes 0 to 20 of it", "bytes 0 to 20 of it"},
    {"many-threads", "right-threads", "1056 x 1 x 1 threads", "1056 x 1 x 1 threads", "1056 x 1 x 1 threads"},
    {"no-blocks", "right-blocks", "grid of 0 x 1 x 1", "grid of 0 x 1 x 1", "grid of 0 x 1 x 1"},
    {"much-shared", "right-much-shared", "the kernel may use 49152", "the kernel may use 49152",
     "the kernel may use 49152"},
    {"host-buffer-reused", "right-buffer", kWrong, kWrong, kRace},
    {"staged-list-reused", "right-list", kWrong, kWrong, kRace},
    {"result-read-early", "right-result", kWrong, kWrong, kRace},
    {"other-stream", "right-streams", kWrong, kWrong, kRace},
    {"event-too-early", "right-event", kWrong, kWrong, kRace},
    {"leading-dimension-too-small", "right-product", "leading dimension 4 of a", "leading dimension 4 of a",
     "leading dimension 4 of a"},
    {"leading-dimension-too-large", "right-product", "c is device memory", "c is device memory", "c is device memory"},
    {"too-many-columns", "right-product", "b is device memory", "b is device memory", "b is device memory"},
};

const char* expected(const Row& row) { return kRaces ? row.thread : kAddresses ? row.address : row.plain; }

struct Ended {
    bool good = false;
    QString text;
};

Ended run(const QString& name) {
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(MOR_PLANTED_FAULTS, name.isEmpty() ? QStringList() : QStringList(name));
    if (!process.waitForFinished(60000)) return {false, "not finished after a minute"};
    return {process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0, QString::fromUtf8(process.readAll())};
}

}  // namespace

/// Green elsewhere means something only if mistakes turn it red here.
class CudaFaultsTest : public QObject {
    Q_OBJECT

private slots:
    void found_data() {
        QTest::addColumn<int>("row");
        for (int i = 0; i < int(std::size(kRows)); ++i) QTest::newRow(kRows[i].fault) << i;
    }

    void found() {
        QFETCH(int, row);
        const QString pattern = expected(kRows[row]);
        const Ended ended = run(kRows[row].fault);
        if (pattern.isEmpty()) {
            // Said in docs/gpu.md; should the build find it one day, this line is to be changed.
            QVERIFY2(ended.good, qPrintable(ended.text));
            QSKIP("this build does not find it: ThreadSanitizer or AddressSanitizer does");
        }
        QVERIFY2(!ended.good, "the fault went unnoticed");
        QVERIFY2(ended.text.contains(QRegularExpression(pattern)), qPrintable(ended.text));
    }

    void twinIsQuiet_data() {
        QTest::addColumn<QString>("twin");
        std::set<std::string> twins;
        for (const Row& row : kRows) {
            if (twins.insert(row.twin).second) QTest::newRow(row.twin) << QString(row.twin);
        }
    }

    void twinIsQuiet() {
        QFETCH(QString, twin);
        const Ended ended = run(twin);
        QVERIFY2(ended.good && ended.text.isEmpty(), qPrintable(ended.text));
    }

    void everyProgramIsUsed() {
        std::set<QString> names;
        for (const Row& row : kRows) names.insert({row.fault, row.twin});
        const QStringList listed = run({}).text.split('\n', Qt::SkipEmptyParts);
        QCOMPARE(std::set<QString>(listed.begin(), listed.end()), names);
    }
};

QTEST_GUILESS_MAIN(CudaFaultsTest)
#include "tst_cuda_faults.moc"
