// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string_view>

#include "io/mapped_file.hpp"
#include "mor/error.hpp"
#include "trace/format.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestTrace = 1u << 30;  // bytes
constexpr std::size_t kLongestLine = 16u << 20;     // bytes; a pass over a whole context fits many times

/// Reads the records of one file in order.
class Reader {
public:
    Reader(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}

    Trace read() {
        std::string_view rest = text_;
        while (!rest.empty()) {
            ++number_;
            const auto end = rest.find('\n');
            const bool ended = end != rest.npos;
            if (!read_line(rest.substr(0, end), ended)) break;
            rest.remove_prefix(ended ? end + 1 : rest.size());
        }
        if (!has_header_)
            throw bad_input(file_, "line 1", "the header of a .mortrace file",
                            text_.empty() ? "an empty file" : "a torn line");
        return std::move(trace_);
    }

private:
    std::string name(const char* suffix = "") const { return "line " + std::to_string(number_) + suffix; }

    /// False where the line is torn, which only a line without its line break can be.
    bool read_line(std::string_view line, bool ended) {
        if (line.size() > kLongestLine) {
            throw bad_input(file_, name(), "at most " + std::to_string(kLongestLine) + " bytes",
                            std::to_string(line.size()));
        }
        Json json;
        try {
            json = parse_json(line, file_, name(), {.depth = 8});
        } catch (const Error&) {
            if (ended) throw;
            trace_.torn = true;
            return false;
        }
        const Field field(json, file_, name(" "));
        const auto& type = field.at("type").text();
        if (!has_header_) {
            if (type != "header") field.at("type").refuse("\"header\" on the first line");
            trace_.header = read_header(field);
            has_header_ = true;
        } else if (type == "header") {
            field.at("type").refuse("one header per file");
        } else if (type == "token") {
            add(read_token(field, trace_.header.config), field);
        } else if (type == "pass") {
            trace_.passes.push_back(read_pass(field, trace_.header.config));
        }
        return true;
    }

    void add(TokenRecord record, const Field& field) {
        const auto [last, first_of_request] = last_position_.emplace(record.request, record.position);
        if (!first_of_request && record.position <= last->second) {
            field.at("position").refuse("more than " + std::to_string(last->second) + ", the position before");
        }
        last->second = record.position;
        trace_.tokens.push_back(std::move(record));
    }

    std::string file_;
    std::string text_;
    Trace trace_;
    std::map<int, int> last_position_;  ///< by request
    std::size_t number_ = 0;            ///< of the current line, from 1
    bool has_header_ = false;
};

}  // namespace

Trace read_trace(const std::filesystem::path& path) {
    return Reader(path.string(), read_text_file(path, kLargestTrace)).read();
}

}  // namespace mor
