// SPDX-License-Identifier: Apache-2.0
#include "mor/tokenizer.hpp"

#include "io/json.hpp"
#include "io/mapped_file.hpp"
#include "mor/error.hpp"
#include "text/sentencepiece_tokenizer.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestConfig = 16u << 20;  // bytes; it may list thousands of added tokens

bool adds_bos(const std::filesystem::path& directory) {
    const auto file = directory / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return false;
    const std::string name = file.string();
    const Json json = parse_json(read_text_file(file, kLargestConfig), name, "content");
    const auto add = Field(json, name).find("add_bos_token");
    return add && add->boolean();
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& directory, int vocab_size) {
    const auto model = directory / "tokenizer.model";
    const auto json = directory / "tokenizer.json";
    std::error_code ignored;
    std::shared_ptr<const Tokenizer> tokenizer;
    if (std::filesystem::exists(model, ignored)) {
        tokenizer = std::make_shared<SentencePieceTokenizer>(model, adds_bos(directory));
    } else if (std::filesystem::exists(json, ignored)) {
        throw bad_input(json.string(), "file", "tokenizer.model, the only kind of tokenizer this build reads",
                        "tokenizer.json");
    } else {
        return nullptr;
    }
    if (tokenizer->size() > vocab_size) {
        throw bad_input(model.string(), "pieces", "at most vocab_size " + std::to_string(vocab_size),
                        std::to_string(tokenizer->size()));
    }
    return tokenizer;
}

}  // namespace mor
