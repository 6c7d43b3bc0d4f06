// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mor {

using Json = nlohmann::json;

/// What a text from disk may cost before it is refused.
struct JsonLimits {
    int depth = 32;                  ///< nested lists and objects
    std::size_t values = 4'000'000;  ///< of any kind; bounds the memory of the parsed tree
};

/// Parses hostile text: refuses what is not JSON, deep nesting, too many values and repeated keys. `file` and `field`
/// stand in front of the complaint.
Json parse_json(std::string_view text, const std::string& file, const std::string& field, const JsonLimits& = {});

/// A short form of a value for "got ...": 12, "cycle", a list of 3, an object.
std::string describe(const Json&);

/// A value in a JSON file that knows where it stands, so that whatever is wrong with it names file and field.
/// Refers to the parsed tree and the file's name; both must outlive it.
class Field {
public:
    Field(const Json& value, const std::string& file, std::string path = {})
        : value_(&value), file_(&file), path_(std::move(path)) {}

    const Json& json() const { return *value_; }
    const std::string& path() const { return path_; }

    /// Member `key` of this object; refuses a value that is no object and a key that is not there.
    Field at(std::string_view key) const;

    /// The same, or nothing where the key is absent or null.
    std::optional<Field> find(std::string_view key) const;

    /// True where the key is present, null included.
    bool has(std::string_view key) const;

    std::size_t size() const;             ///< of this list; refuses anything else
    Field item(std::size_t index) const;  ///< of this list

    std::int64_t integer(std::int64_t least, std::int64_t most) const;
    double number(double least, double most) const;
    bool boolean() const;
    const std::string& text() const;

    [[noreturn]] void refuse(const std::string& expected) const;
    [[noreturn]] void refuse(const std::string& expected, const std::string& got) const;

private:
    const Json& object() const;
    std::string path_of(std::string_view key) const;

    const Json* value_;
    const std::string* file_;
    std::string path_;
};

}  // namespace mor
