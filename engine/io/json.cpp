// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"

#include <cmath>
#include <sstream>
#include <utility>
#include <vector>

#include "mor/error.hpp"

namespace mor {
namespace {

/// Builds the tree while the text is read, so that limits hold before memory is spent.
class StrictBuilder final : public nlohmann::json_sax<Json> {
public:
    StrictBuilder(Json& root, const std::string& file, const std::string& field, const JsonLimits& limits)
        : root_(root), file_(file), field_(field), limits_(limits) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool v) override { return put(v); }
    bool number_integer(number_integer_t v) override { return put(v); }
    bool number_unsigned(number_unsigned_t v) override { return put(v); }
    bool number_float(number_float_t v, const string_t&) override { return put(v); }
    bool string(string_t& v) override { return put(std::move(v)); }
    bool binary(binary_t&) override { return false; }  // JSON text has none
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        auto [place, inserted] = open_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
        if (!inserted) throw bad_input(file_, field_, "every key once", describe(Json(name)) + " twice");
        member_ = &place->second;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        // 406: a number beyond double precision's range; everything else is a matter of syntax.
        if (error.id == 406) {
            throw bad_input(file_, field_, "numbers a double can hold", "a larger one at byte " + std::to_string(position));
        }
        throw bad_input(file_, field_, "JSON", "something else at byte " + std::to_string(position));
    }

private:
    bool put(Json value) {
        place(std::move(value));
        return true;
    }

    bool open(Json container) {
        if (static_cast<int>(open_.size()) == limits_.depth) {
            throw bad_input(file_, field_, "at most " + std::to_string(limits_.depth) + " nested values", "more");
        }
        open_.push_back(place(std::move(container)));
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    Json* place(Json value) {
        if (++values_ > limits_.values) {
            throw bad_input(file_, field_, "at most " + std::to_string(limits_.values) + " values", "more");
        }
        Json* target = &root_;
        if (!open_.empty() && open_.back()->is_array()) {
            auto& list = open_.back()->get_ref<Json::array_t&>();
            target = &list.emplace_back();
        } else if (!open_.empty()) {
            target = member_;
        }
        *target = std::move(value);
        return target;
    }

    Json& root_;
    const std::string& file_;
    const std::string& field_;
    JsonLimits limits_;
    std::vector<Json*> open_;  ///< containers not yet closed; a list never grows while an element is open
    Json* member_ = nullptr;   ///< where the value of the last key goes
    std::size_t values_ = 0;
};

std::string number_text(double v) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << v;
    return out.str();
}

}  // namespace

Json parse_json(std::string_view text, const std::string& file, const std::string& field, const JsonLimits& limits) {
    Json root;
    StrictBuilder builder(root, file, field, limits);
    Json::sax_parse(text.begin(), text.end(), &builder);
    return root;
}

std::string describe(const Json& value) {
    constexpr std::size_t kShown = 60;  // bytes of a string
    switch (value.type()) {
        case Json::value_t::object:
            return "an object";
        case Json::value_t::array:
            return "a list of " + std::to_string(value.size());
        case Json::value_t::string: {
            const auto& text = value.get_ref<const std::string&>();
            if (text.size() <= kShown) return value.dump();
            return "a string of " + std::to_string(text.size()) + " bytes";
        }
        default:
            return value.dump();
    }
}

const Json& Field::object() const {
    if (!value_->is_object()) refuse("an object");
    return *value_;
}

std::string Field::path_of(std::string_view key) const {
    if (path_.empty()) return std::string(key);
    return path_ + (path_.back() == ' ' ? "" : ".") + std::string(key);
}

Field Field::at(std::string_view key) const {
    const auto& members = object();
    const auto it = members.find(key);
    if (it == members.end()) throw bad_input(*file_, path_of(key), "a value", "nothing");
    return {*it, *file_, path_of(key)};
}

std::optional<Field> Field::find(std::string_view key) const {
    const auto& members = object();
    const auto it = members.find(key);
    if (it == members.end() || it->is_null()) return std::nullopt;
    return Field{*it, *file_, path_of(key)};
}

bool Field::has(std::string_view key) const { return object().contains(key); }

std::size_t Field::size() const {
    if (!value_->is_array()) refuse("a list");
    return value_->size();
}

Field Field::item(std::size_t index) const { return {(*value_)[index], *file_, path_ + "[" + std::to_string(index) + "]"}; }

std::int64_t Field::integer(std::int64_t least, std::int64_t most) const {
    const std::string range = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!value_->is_number_integer()) refuse(range);
    if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) refuse(range);
    const auto v = value_->get<std::int64_t>();
    if (v < least || v > most) refuse(range);
    return v;
}

double Field::number(double least, double most) const {
    const auto range = [&] { return "a number from " + number_text(least) + " to " + number_text(most); };
    if (!value_->is_number()) refuse(range());
    const auto v = value_->get<double>();
    if (!(v >= least && v <= most)) refuse(range());
    return v;
}

bool Field::boolean() const {
    if (!value_->is_boolean()) refuse("true or false");
    return value_->get<bool>();
}

const std::string& Field::text() const {
    if (!value_->is_string()) refuse("a string");
    return value_->get_ref<const std::string&>();
}

void Field::refuse(const std::string& expected) const { refuse(expected, describe(*value_)); }

void Field::refuse(const std::string& expected, const std::string& got) const {
    std::string path = path_.empty() ? "content" : path_;
    if (path.back() == ' ') path.pop_back();  // "line 12 " stands in front of keys
    throw bad_input(*file_, path, expected, got);
}

}  // namespace mor
