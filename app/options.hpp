// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mor::cli {

/// Something wrong with what was typed. what() is one sentence; main() adds where to look and exits with 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The arguments of a program or subcommand: a table from which they are read and their help is written.
///
/// Options are `--name VALUE` or `--name=VALUE`; the last of several wins, and `--` ends them. `apply` receives the
/// value as typed and throws UsageError when it does not like it.
class OptionTable {
public:
    using Apply = std::function<void(const std::string& value)>;

    /// `command` is what is typed before the arguments, for instance "morscope-cli inspect".
    OptionTable(std::string command, std::string summary);

    /// A required argument without a name, in the order added.
    void argument(std::string name, std::string help, Apply);
    /// Any number of arguments without a name, after those of argument().
    void rest(std::string name, std::string help, Apply);
    void option(std::string name, std::string value_name, std::string help, Apply);
    void flag(std::string name, std::string help, bool& target);
    /// The title of the options added from here on.
    void heading(std::string title);
    /// Options added from here on are applied after all others, wherever they stand, and after `before` was called: for
    /// settings that begin as copies of earlier ones.
    void afterwards(std::function<void()> before);

    /// Reads the arguments after the command. Returns false when they ask for the help, which has then been
    /// printed. Throws UsageError.
    bool parse(std::span<const std::string> arguments) const;

    std::string help() const;

private:
    struct Entry {
        std::string name;
        std::string value_name;  ///< empty for a flag
        std::string help;
        std::string heading;  ///< the title it stands under
        Apply apply;
        bool late = false;
    };
    using Late = std::vector<std::pair<const Entry*, std::string>>;  ///< with their values

    const Entry* find(const std::string& name) const;
    /// Applies the option at `index`, or puts it by, and returns the index of its last word.
    std::size_t read_option(std::span<const std::string> arguments, std::size_t index, Late&) const;

    std::string command_;
    std::string summary_;
    std::string heading_ = "Options";
    std::vector<Entry> positional_;
    std::optional<Entry> rest_;
    std::vector<Entry> options_;
    std::function<void()> before_late_;  ///< set: options are late from here on
};

/// A whole number from `lowest` to `highest`, and nothing after it.
std::int64_t read_integer(const std::string& option, const std::string& text, std::int64_t lowest, std::int64_t highest);

/// A number that `allowed` accepts; `expected` says which those are, for instance "a number above 0".
double read_real(const std::string& option, const std::string& text, const std::string& expected,
                 const std::function<bool(double)>& allowed);

/// "1,2,3": whole numbers from 0 up, at least one.
std::vector<int> read_ids(const std::string& option, const std::string& text);

/// The index of `text` in `words`.
std::size_t read_choice(const std::string& option, const std::string& text, const std::vector<std::string>& words);

}  // namespace mor::cli
