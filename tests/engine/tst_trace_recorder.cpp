// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <QTest>
#include <csignal>
#include <fstream>

#include "engine/golden.hpp"
#include "engine/hostile_input.hpp"
#include "engine/trace_samples.hpp"
#include "mor/trace.hpp"

using namespace mor;
using namespace mor::testing;

namespace {

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A full disk: no file grows beyond this while it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(std::size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit wanted{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &wanted);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

}  // namespace

class TestTraceRecorder : public QObject {
    Q_OBJECT

    Folder folder_;

    std::filesystem::path file() const { return folder_.path() / "run.mortrace"; }

private slots:
    void writing_fails_in_one_sentence() {
        VERIFY_SENTENCE(error_of([&] { TraceWriter(folder_.path() / "no" / "x", sample_header()); }),
                        "x: file: expected a file that can be created, got No such file or directory");
        VERIFY_SENTENCE(error_of([&] { TraceWriter("/dev/full", sample_header()); }),
                        "/dev/full: file: expected room for another line, got No space left on device");
        VERIFY_SENTENCE(error_of([&] { read_trace(folder_.path() / "none"); }), "none: file: expected a readable file");
    }

    void a_recorder_writes_what_a_writer_writes() {
        const auto other = folder_.path() / "other.mortrace";
        TraceWriter writer(file(), sample_header());
        TraceRecorder recorder(other, sample_header());
        for (int i = 0; i < 3000; ++i) {
            Events events;
            events.pass = sample_pass();
            events.pass.segment = i % 8;
            events.tokens.resize(static_cast<std::size_t>(i % 3));
            for (auto& token : events.tokens) token.record = sample_token(i % 5);
            writer.add(events);
            recorder.add(events);
            if (i % 1000 == 0) recorder.flush();
        }
        recorder.flush();
        QCOMPARE(content_of(other), content_of(file()));
    }

    void a_recorder_that_goes_has_written_everything() {
        {
            TraceRecorder recorder(file(), sample_header());
            for (int i = 0; i < 10; ++i) recorder.add(Events{sample_pass(), {}});
        }
        QCOMPARE(read_trace(file()).passes.size(), std::size_t{10});
    }

    void a_recorder_says_once_that_the_disk_is_full() {
        {
            const FileSizeLimit header_only(to_json(sample_header()).size() + 1);
            TraceRecorder recorder(file(), sample_header());
            recorder.add(Events{sample_pass(), {}});
            VERIFY_SENTENCE(error_of([&] { recorder.flush(); }), "run.mortrace: file: expected room for another line");
            recorder.add(Events{sample_pass(), {}});
            recorder.flush();
        }
        QVERIFY(read_trace(file()).passes.empty());
    }
};

QTEST_APPLESS_MAIN(TestTraceRecorder)
#include "tst_trace_recorder.moc"
