// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>

#include "io/atomic_file.hpp"
#include "mor/error.hpp"
#include "mor/trace.hpp"
#include "trace/format.hpp"

namespace mor {
namespace {

/// Text of a whole run that is gathered before it is written, in bytes.
constexpr std::size_t kBlock = 1u << 20;

/// Adds a record's line to `lines`, whose memory is used again.
template <class Record>
void append(std::string& lines, const Record& record) {
    JsonWriter out(std::move(lines));
    write_json(out, record);
    out.end_line();
    lines = out.take();
}

}  // namespace

struct TraceWriter::Impl {
    std::filesystem::path path;
    std::ofstream out;
    std::string lines;  ///< not yet written
};

TraceWriter::TraceWriter(const std::filesystem::path& path, const TraceHeader& header)
    : impl_(std::make_unique<Impl>(Impl{path, {}, to_json(header) + '\n'})) {
    errno = 0;
    impl_->out.open(path, std::ios::binary | std::ios::trunc);
    if (!impl_->out) throw bad_input(path.string(), "file", "a file that can be created", std::strerror(errno));
    flush();
}

TraceWriter::~TraceWriter() = default;

void TraceWriter::put(const TokenRecord& record) { append(impl_->lines, record); }

void TraceWriter::put(const PassRecord& record) { append(impl_->lines, record); }

void TraceWriter::add(const TokenRecord& record) {
    put(record);
    flush();
}

void TraceWriter::add(const PassRecord& record) {
    put(record);
    flush();
}

void TraceWriter::add(const Events& events) {
    put(events.pass);
    for (const auto& token : events.tokens) put(token.record);
    flush();
}

void TraceWriter::flush() {
    errno = 0;
    impl_->out.write(impl_->lines.data(), static_cast<std::streamsize>(impl_->lines.size()));
    impl_->out.flush();
    impl_->lines.clear();
    if (!impl_->out) throw bad_input(impl_->path.string(), "file", "room for another line", std::strerror(errno));
}

void write_trace(const std::filesystem::path& path, const Trace& trace) {
    AtomicFile file(path);
    std::string lines = to_json(trace.header) + '\n';
    const auto put = [&](const auto& records) {
        for (const auto& record : records) {
            append(lines, record);
            if (lines.size() < kBlock) continue;
            file.write(lines);
            lines.clear();
        }
    };
    put(trace.passes);
    put(trace.tokens);
    file.write(lines);
    file.commit();
}

}  // namespace mor
