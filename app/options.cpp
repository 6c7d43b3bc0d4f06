// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <limits>
#include <utility>

namespace mor::cli {

namespace {

constexpr std::size_t kHelpColumn = 30;  ///< where explanations begin

UsageError bad_value(const std::string& option, const std::string& expected, const std::string& got) {
    return UsageError(option + ": expected " + expected + ", got \"" + got + "\"");
}

std::string help_line(std::string left, const std::string& help) {
    left = "  " + left;
    if (left.size() + 2 > kHelpColumn) return left + "\n" + std::string(kHelpColumn, ' ') + help + "\n";
    return left + std::string(kHelpColumn - left.size(), ' ') + help + "\n";
}

}  // namespace

OptionTable::OptionTable(std::string command, std::string summary)
    : command_(std::move(command)), summary_(std::move(summary)) {}

void OptionTable::argument(std::string name, std::string help, Apply apply) {
    positional_.push_back({std::move(name), {}, std::move(help), {}, std::move(apply), false});
}

void OptionTable::rest(std::string name, std::string help, Apply apply) {
    rest_ = Entry{std::move(name), {}, std::move(help), {}, std::move(apply), false};
}

void OptionTable::option(std::string name, std::string value_name, std::string help, Apply apply) {
    options_.push_back({std::move(name), std::move(value_name), std::move(help), heading_, std::move(apply),
                        static_cast<bool>(before_late_)});
}

void OptionTable::flag(std::string name, std::string help, bool& target) {
    options_.push_back({std::move(name),
                        {},
                        std::move(help),
                        heading_,
                        [&target](const std::string&) { target = true; },
                        static_cast<bool>(before_late_)});
}

void OptionTable::afterwards(std::function<void()> before) { before_late_ = std::move(before); }

void OptionTable::heading(std::string title) { heading_ = std::move(title); }

const OptionTable::Entry* OptionTable::find(const std::string& name) const {
    const auto found = std::find_if(options_.begin(), options_.end(), [&](const Entry& e) { return e.name == name; });
    return found == options_.end() ? nullptr : &*found;
}

std::size_t OptionTable::read_option(std::span<const std::string> arguments, std::size_t index, Late& late) const {
    const std::string& word = arguments[index];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Entry* entry = find(name);
    if (entry == nullptr) throw UsageError("unknown option " + name);
    const auto apply = [&](const std::string& value) {
        if (entry->late)
            late.emplace_back(entry, value);
        else
            entry->apply(value);
    };
    if (entry->value_name.empty()) {
        if (equals != std::string::npos) throw UsageError(name + " takes no value");
        apply({});
        return index;
    }
    if (equals != std::string::npos) {
        apply(word.substr(equals + 1));
        return index;
    }
    // A known option in the value's place means that the value was forgotten.
    if (index + 1 == arguments.size() || find(arguments[index + 1]) != nullptr)
        throw UsageError(name + " needs a value: " + name + " " + entry->value_name);
    apply(arguments[index + 1]);
    return index + 1;
}

bool OptionTable::parse(std::span<const std::string> arguments) const {
    std::vector<std::string> words;
    Late late;
    bool options_ended = false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (!options_ended && (word == "--help" || word == "-h")) {
            std::cout << help();
            return false;
        }
        if (!options_ended && word == "--") {
            options_ended = true;
        } else if (!options_ended && word.size() > 1 && word.front() == '-') {
            i = read_option(arguments, i, late);
        } else {
            words.push_back(word);
        }
    }
    if (words.size() < positional_.size()) throw UsageError(positional_[words.size()].name + " is missing");
    if (words.size() > positional_.size() && !rest_)
        throw UsageError("unexpected argument \"" + words[positional_.size()] + "\"");
    for (std::size_t i = 0; i < words.size(); ++i) (i < positional_.size() ? positional_[i] : *rest_).apply(words[i]);
    if (before_late_) before_late_();
    for (const auto& [entry, value] : late) entry->apply(value);
    return true;
}

std::string OptionTable::help() const {
    std::string text = "Usage: " + command_;
    for (const Entry& e : positional_) text += " " + e.name;
    if (rest_) text += " [" + rest_->name + "...]";
    if (!options_.empty()) text += " [OPTIONS]";
    text += "\n" + summary_ + "\n\n";
    for (const Entry& e : positional_) text += help_line(e.name, e.help);
    if (rest_) text += help_line(rest_->name, rest_->help);
    std::string title;
    for (const Entry& e : options_) {
        if (e.heading != title) text += (text.ends_with("\n\n") ? "" : "\n") + (title = e.heading) + ":\n";
        text += help_line(e.value_name.empty() ? e.name : e.name + " " + e.value_name, e.help);
    }
    return text;
}

std::int64_t read_integer(const std::string& option, const std::string& text, std::int64_t lowest, std::int64_t highest) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stopped != end || value < lowest || value > highest)
        throw bad_value(option, "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest), text);
    return value;
}

double read_real(const std::string& option, const std::string& text, const std::string& expected,
                 const std::function<bool(double)>& allowed) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stopped != end || !allowed(value)) throw bad_value(option, expected, text);
    return value;
}

std::vector<int> read_ids(const std::string& option, const std::string& text) {
    std::vector<int> ids;
    const char* at = text.data();
    const char* end = at + text.size();
    while (true) {
        int id = -1;
        const auto [stopped, error] = std::from_chars(at, end, id);
        if (error != std::errc() || id < 0 || (stopped != end && *stopped != ','))
            throw bad_value(option, "token ids such as 1,2,3", text.size() > 40 ? text.substr(0, 40) + "..." : text);
        ids.push_back(id);
        if (stopped == end) return ids;
        at = stopped + 1;
    }
}

std::size_t read_choice(const std::string& option, const std::string& text, const std::vector<std::string>& words) {
    const auto found = std::find(words.begin(), words.end(), text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string expected;
    for (std::size_t i = 0; i < words.size(); ++i)
        expected += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    throw bad_value(option, expected, text);
}

}  // namespace mor::cli
