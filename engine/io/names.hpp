// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mor/types.hpp"

namespace mor {

template <class Enum>
struct Word {
    Enum value;
    const char* word;
};

/// The words of an enumeration as they stand in files and on the command line.
std::span<const Word<Sharing>> words_of(Sharing);
std::span<const Word<Routing>> words_of(Routing);
std::span<const Word<KvPolicy>> words_of(KvPolicy);
std::span<const Word<SelectionRule>> words_of(SelectionRule);
std::span<const Word<RoutingHead>> words_of(RoutingHead);
std::span<const Word<ExpertSampling>> words_of(ExpertSampling);
std::span<const Word<RouterShape>> words_of(RouterShape);
std::span<const Word<RouterFunction>> words_of(RouterFunction);
std::span<const Word<Balancing>> words_of(Balancing);
std::span<const Word<DType>> words_of(DType);
std::span<const Word<Outcome>> words_of(Outcome);
std::span<const Word<Finish>> words_of(Finish);

template <class Enum>
const char* word_of(Enum value) {
    for (const auto& w : words_of(value)) {
        if (w.value == value) return w.word;
    }
    return "unknown";
}

template <class Enum>
std::optional<Enum> from_word(std::string_view word) {
    for (const auto& w : words_of(Enum{})) {
        if (word == w.word) return w.value;
    }
    return std::nullopt;
}

/// "cycle", "sequence" or "middle_cycle": the words of a list for "expected ...".
template <class Enum>
std::string choice_of(std::span<const Word<Enum>> words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += '"' + std::string(words[i].word) + '"';
    }
    return text;
}

}  // namespace mor
