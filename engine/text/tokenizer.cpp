// SPDX-License-Identifier: Apache-2.0
#include "mor/tokenizer.hpp"

#include "mor/error.hpp"
#include "text/bpe_tokenizer.hpp"
#include "text/sentencepiece_tokenizer.hpp"
#include "text/tokenizer_config.hpp"

namespace mor {
namespace {

std::shared_ptr<const Tokenizer> load_bpe(const std::filesystem::path& file, const TokenizerConfig& config) {
    if (!config.add_bos_token) return std::make_shared<BpeTokenizer>(file, std::nullopt);
    if (!config.bos_token) {
        throw bad_input((file.parent_path() / "tokenizer_config.json").string(), "bos_token",
                        "a token, because add_bos_token is true", "nothing");
    }
    return std::make_shared<BpeTokenizer>(file, config.bos_token);
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& directory, int vocab_size) {
    std::error_code ignored;
    std::filesystem::path file = directory / "tokenizer.model";
    std::shared_ptr<const Tokenizer> tokenizer;
    if (std::filesystem::exists(file, ignored)) {
        tokenizer = std::make_shared<SentencePieceTokenizer>(file, read_tokenizer_config(directory).add_bos_token);
    } else if (file = directory / "tokenizer.json"; std::filesystem::exists(file, ignored)) {
        tokenizer = load_bpe(file, read_tokenizer_config(directory));
    } else {
        return nullptr;
    }
    if (tokenizer->size() > vocab_size) {
        throw bad_input(file.string(), "vocabulary", "at most vocab_size " + std::to_string(vocab_size) + " ids",
                        std::to_string(tokenizer->size()));
    }
    return tokenizer;
}

}  // namespace mor
