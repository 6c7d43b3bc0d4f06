// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mor/tokenizer.hpp"
#include "text/added_tokens.hpp"
#include "text/byte_pairs.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/tokenizer_json.hpp"

namespace mor {

/// tokenizer.json with a byte-level BPE model; gives the ids that Hugging Face `tokenizers` gives.
class BpeTokenizer final : public Tokenizer {
public:
    /// `bos` is the token to put in front of every text, if any. Throws Error when the file is broken or not understood,
    /// or when it has no such token.
    BpeTokenizer(const std::filesystem::path& file, const std::optional<std::string>& bos);

    int size() const override { return static_cast<int>(tokens_.size()); }
    std::vector<int> encode(std::string_view text) const override;
    std::string bytes(int id, bool first) const override;
    std::string label(int id) const override;

private:
    enum class Kind : std::uint8_t { Missing, Bytes, Added, Special };
    struct Token {
        std::string bytes;  ///< what it writes; the name of a special one
        Kind kind = Kind::Missing;
    };

    BpeTokenizer(const TokenizerJson&, const std::string& file, const std::optional<std::string>& bos);
    void list_tokens(const TokenizerJson&);
    const Token* token(int id) const;  ///< null for ids the tokenizer does not know

    std::vector<Token> tokens_;
    AddedTokenFinder first_;   ///< looked for in the whole text
    AddedTokenFinder second_;  ///< then in what is between those
    PreTokenizer pre_tokenizer_;
    BytePairs pairs_;
    std::optional<int> bos_;
    bool adds_blank_ = false;
};

}  // namespace mor
