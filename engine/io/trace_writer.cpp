// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>

#include "mor/error.hpp"
#include "mor/trace.hpp"

namespace mor {

TraceWriter::TraceWriter(const std::filesystem::path& path, const TraceHeader& header) : path_(path) {
    errno = 0;
    out_.open(path, std::ios::binary | std::ios::trunc);
    if (!out_) throw bad_input(path.string(), "file", "a file that can be created", std::strerror(errno));
    line(to_json(header));
}

void TraceWriter::add(const TokenRecord& record) { line(to_json(record)); }

void TraceWriter::add(const PassRecord& record) { line(to_json(record)); }

void TraceWriter::add(const Events& events) {
    add(events.pass);
    for (const auto& token : events.tokens) add(token.record);
}

void TraceWriter::line(const std::string& json) {
    errno = 0;
    out_ << json << '\n' << std::flush;
    if (!out_) throw bad_input(path_.string(), "file", "room for another line", std::strerror(errno));
}

}  // namespace mor
