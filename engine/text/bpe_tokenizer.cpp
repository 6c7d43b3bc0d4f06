// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_tokenizer.hpp"

#include <algorithm>

#include "mor/error.hpp"
#include "text/byte_alphabet.hpp"
#include "text/utf8.hpp"
#include "text/visible_text.hpp"

namespace mor {
namespace {

std::vector<AddedToken> of_pass(const std::vector<AddedToken>& tokens, bool normalized) {
    std::vector<AddedToken> chosen;
    std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(chosen),
                 [&](const AddedToken& t) { return t.normalized == normalized; });
    return chosen;
}

}  // namespace

BpeTokenizer::BpeTokenizer(const std::filesystem::path& file, const std::optional<std::string>& bos)
    : BpeTokenizer(read_tokenizer_json(file), file.string(), bos) {}

BpeTokenizer::BpeTokenizer(const TokenizerJson& content, const std::string& file, const std::optional<std::string>& bos)
    : first_(of_pass(content.added, false)),
      second_(of_pass(content.added, true)),
      pre_tokenizer_(content.steps),
      pairs_(content.model),
      adds_blank_(std::count(content.steps.begin(), content.steps.end(), CutStep::PrefixBlank) > 0) {
    list_tokens(content);
    if (!bos) return;
    for (const AddedToken& t : content.added)
        if (t.content == *bos) bos_ = t.id;
    if (!bos_) {
        throw bad_input(file, "added_tokens", "the bos_token of tokenizer_config.json, " + visible_text(*bos),
                        "no such token");
    }
}

void BpeTokenizer::list_tokens(const TokenizerJson& content) {
    tokens_.resize(content.model.tokens.size());
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        const std::string& text = content.model.tokens[id];
        if (!text.empty()) tokens_[id] = {bytes_of_token(text).value_or(text), Kind::Bytes};
    }
    for (const AddedToken& t : content.added) {
        const auto id = static_cast<std::size_t>(t.id);
        if (id >= tokens_.size()) tokens_.resize(id + 1);
        tokens_[id] = {t.content, t.special ? Kind::Special : Kind::Added};
    }
}

const BpeTokenizer::Token* BpeTokenizer::token(int id) const {
    if (id < 0 || id >= size() || tokens_[static_cast<std::size_t>(id)].kind == Kind::Missing) return nullptr;
    return &tokens_[static_cast<std::size_t>(id)];
}

std::vector<int> BpeTokenizer::encode(std::string_view text) const {
    if (const auto at = find_invalid_utf8(text)) {
        throw bad_input("text", "byte " + std::to_string(*at), "UTF-8", "something else (save the text as UTF-8)");
    }
    std::vector<int> ids;
    if (bos_) ids.push_back(*bos_);
    const auto found = [&](const AddedToken& t) { ids.push_back(t.id); };
    const auto words = [&](std::string_view part) {
        pre_tokenizer_.split(part, [&](std::string_view piece) { pairs_.encode(piece, ids); });
    };
    first_.split(text, found, [&](std::string_view part) { second_.split(part, found, words); });
    return ids;
}

std::string BpeTokenizer::bytes(int id, bool first) const {
    const Token* t = token(id);
    if (!t) return "\xEF\xBF\xBD";
    if (t->kind == Kind::Special) return {};
    const bool invented = first && adds_blank_ && t->kind == Kind::Bytes && t->bytes.starts_with(' ');
    return invented ? t->bytes.substr(1) : t->bytes;
}

std::string BpeTokenizer::label(int id) const {
    const Token* t = token(id);
    return t ? visible_text(t->bytes) : "<" + std::to_string(id) + ">";
}

}  // namespace mor
