// SPDX-License-Identifier: Apache-2.0
#include "text/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <stdexcept>

#include "mor/error.hpp"

namespace mor {
namespace {

std::string message_of(int error) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

struct FreeMatch {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Code {
    explicit Code(pcre2_code* compiled) : code(compiled) {}
    ~Code() { pcre2_code_free(code); }
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    pcre2_code* code;
};

Regex::Regex(const std::string& pattern) {
    int error = 0;
    PCRE2_SIZE at = 0;
    auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error,
                               &at, nullptr);
    if (!code) throw std::logic_error("pattern, character " + std::to_string(at) + ": " + message_of(error));
    code_ = std::make_unique<const Code>(code);
    // Where memory may not become executable, the interpreter gives the same matches.
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::split(std::string_view text, const std::function<void(std::string_view)>& piece) const {
    const std::unique_ptr<pcre2_match_data, FreeMatch> match(pcre2_match_data_create(1, nullptr));
    if (!match) throw std::bad_alloc();
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
    for (std::size_t at = 0; at < text.size();) {
        const int found = pcre2_match(code_->code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, match.get(), nullptr);
        if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
            throw Error("text: the tokenizer's pattern fails at byte " + std::to_string(at) + ": " + message_of(found));
        }
        const std::size_t begin = found < 0 ? text.size() : range[0];
        if (begin > at) piece(text.substr(at, begin - at));
        if (found < 0) return;
        piece(text.substr(begin, range[1] - begin));
        at = range[1];
    }
}

}  // namespace mor
