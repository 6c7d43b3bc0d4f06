// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mor/tokenizer.hpp"
#include "text/sentencepiece_file.hpp"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace mor {

/// tokenizer.model: encoding by the library, decoding from the pieces.
class SentencePieceTokenizer final : public Tokenizer {
public:
    /// `file` is tokenizer.model. Throws Error when it is broken, or has no BOS although one is to be added.
    SentencePieceTokenizer(const std::filesystem::path& file, bool add_bos);
    ~SentencePieceTokenizer() override;

    int size() const override { return static_cast<int>(pieces_.size()); }
    std::vector<int> encode(std::string_view text) const override;
    std::string bytes(int id, bool first) const override;
    std::string label(int id) const override;

private:
    const Piece* piece(int id) const;  ///< null for ids the tokenizer does not know

    std::unique_ptr<const sentencepiece::SentencePieceProcessor> library_;
    std::vector<Piece> pieces_;
    bool adds_dummy_prefix_ = true;
    int bos_ = -1;  ///< put in front of every text; -1: nothing
};

}  // namespace mor
