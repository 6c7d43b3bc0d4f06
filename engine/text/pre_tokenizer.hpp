// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.hpp"

namespace mor {

/// One way of cutting a piece of text into smaller ones.
enum class CutStep {
    EachDigit,    ///< every numeric character alone (Digits, individual_digits)
    DigitRuns,    ///< runs of them (Digits)
    PrefixBlank,  ///< no cut: a blank in front of a piece that has none (ByteLevel, add_prefix_space)
    Words,        ///< GPT-2's pattern (ByteLevel, use_regex)
};

/// GPT-2's pattern as tokenizer.json writes it in a Split step.
extern const std::string_view kWordPattern;

/// Cuts text into the pieces that are merged separately. Immutable, so threads may share it.
class PreTokenizer {
public:
    explicit PreTokenizer(std::vector<CutStep> steps);

    /// Applies the steps in order, each to every piece of the one before; calls `piece` with what comes out.
    /// `text` must be UTF-8.
    void split(std::string_view text, const std::function<void(std::string_view)>& piece) const;

private:
    void split_from(std::size_t step, std::string_view text, const std::function<void(std::string_view)>& piece) const;

    std::vector<CutStep> steps_;
    Regex each_digit_, digit_runs_, words_;
};

}  // namespace mor
