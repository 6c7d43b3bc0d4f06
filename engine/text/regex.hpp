// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mor {

/// A compiled PCRE2 pattern over UTF-8. Immutable, so threads may share it.
class Regex {
public:
    /// `pattern` is the program's own; a broken one is a programming error and throws std::logic_error.
    explicit Regex(const std::string& pattern);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    /// Cuts `text`, which must be UTF-8, at its matches: calls `piece` for every match and for everything between
    /// matches, in order, never with nothing. The pattern must not match nothing.
    void split(std::string_view text, const std::function<void(std::string_view)>& piece) const;

private:
    struct Code;
    std::unique_ptr<const Code> code_;
};

}  // namespace mor
