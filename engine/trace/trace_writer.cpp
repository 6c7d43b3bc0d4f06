// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>

#include "mor/error.hpp"
#include "mor/trace.hpp"
#include "trace/trace_format.hpp"

namespace mor {

TraceWriter::TraceWriter(const std::filesystem::path& path, const TraceHeader& header) : path_(path) {
    errno = 0;
    out_.open(path, std::ios::binary | std::ios::trunc);
    if (!out_) throw bad_input(path.string(), "file", "a file that can be created", std::strerror(errno));
    lines_ = to_json(header) + '\n';
    flush();
}

void TraceWriter::put(const TokenRecord& record) { append(record); }

void TraceWriter::put(const PassRecord& record) { append(record); }

template <class Record>
void TraceWriter::append(const Record& record) {
    JsonWriter out(std::move(lines_));
    write_json(out, record);
    out.end_line();
    lines_ = out.take();
}

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
    out_.write(lines_.data(), static_cast<std::streamsize>(lines_.size()));
    out_.flush();
    lines_.clear();
    if (!out_) throw bad_input(path_.string(), "file", "room for another line", std::strerror(errno));
}

}  // namespace mor
