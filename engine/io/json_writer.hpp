// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mor {

/// Writes JSON in the order of calls, one line or several. Numbers are as short as reads back to the same bits allow; NaN
/// has no place in JSON, so members that are NaN are left out, and infinities are the strings "inf" and "-inf".
class JsonWriter {
public:
    JsonWriter() = default;
    /// Goes on behind `text`, which is empty or ends with a line break: memory can be used again and again.
    explicit JsonWriter(std::string text) : text_(std::move(text)) {}

    void open_object() { open('{'); }
    void close_object() { close('}'); }
    void open_list() { open('['); }
    void close_list() { close(']'); }
    void key(std::string_view);  ///< a name from this code: nothing in it needs escaping
    void end_line() { text_ += '\n'; }

    void value(bool);
    void value(int v) { value(static_cast<std::int64_t>(v)); }
    void value(std::int64_t);
    void value(std::uint64_t);
    void value(float);   ///< not NaN
    void value(double);  ///< not NaN
    void value(const char* text) { value(std::string_view(text)); }
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(std::string_view text);  ///< bytes that are no UTF-8 become U+FFFD
    void null();

    template <class Number>
    void value(const std::vector<Number>& list) {
        open_list();
        for (const auto v : list) value(v);
        close_list();
    }

    template <class Value>
    void member(std::string_view name, const Value& v) {
        key(name);
        value(v);
    }
    void member(std::string_view name, float v);
    void member(std::string_view name, double v);

    std::string take() { return std::exchange(text_, {}); }

private:
    void open(char bracket);
    void close(char bracket);
    void separate();
    void quote(std::string_view);

    std::string text_;
};

}  // namespace mor
