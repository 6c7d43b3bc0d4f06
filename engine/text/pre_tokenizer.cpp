// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.hpp"

#include <utility>

#include "text/unicode_classes.hpp"

namespace mor {
namespace {

std::string word_pattern() {
    const std::string letter = letter_class(), number = number_class(), space = white_space_class();
    return "'s|'t|'re|'ve|'m|'ll|'d| ?[" + letter + "]+| ?[" + number + "]+| ?[^" + space + letter + number + "]+|[" +
           space + "]+(?![^" + space + "])|[" + space + "]+";
}

}  // namespace

const std::string_view kWordPattern = R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";

PreTokenizer::PreTokenizer(std::vector<CutStep> steps)
    : steps_(std::move(steps)),
      each_digit_("[" + digit_class() + "]"),
      digit_runs_("[" + digit_class() + "]+"),
      words_(word_pattern()) {}

void PreTokenizer::split(std::string_view text, const std::function<void(std::string_view)>& piece) const {
    if (!text.empty()) split_from(0, text, piece);
}

void PreTokenizer::split_from(std::size_t step, std::string_view text,
                              const std::function<void(std::string_view)>& piece) const {
    if (step == steps_.size()) return piece(text);
    const auto next = [&](std::string_view part) { split_from(step + 1, part, piece); };
    switch (steps_[step]) {
        case CutStep::EachDigit:
            return each_digit_.split(text, next);
        case CutStep::DigitRuns:
            return digit_runs_.split(text, next);
        case CutStep::Words:
            return words_.split(text, next);
        case CutStep::PrefixBlank:
            return text.starts_with(' ') ? next(text) : next(' ' + std::string(text));
    }
}

}  // namespace mor
