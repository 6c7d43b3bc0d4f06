// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mor {

/// Text to token ids and back. Immutable after loading, so threads may share it.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    /// Number of ids; the model's vocabulary is at least as large.
    virtual int size() const = 0;

    /// Ids of `text`, with BOS in front only if the tokenizer's configuration says so. Throws Error when `text` is
    /// not UTF-8.
    virtual std::vector<int> encode(std::string_view text) const = 0;

    /// The raw bytes that `id` adds to a text: possibly a part of a character, empty for control tokens.
    /// `first` is true for the first token of a text, whose leading blank some tokenizers invent.
    virtual std::string bytes(int id, bool first) const = 0;

    /// A readable name for lists and tables, for instance "<s>" or " the"; never empty, always UTF-8.
    virtual std::string label(int id) const = 0;

    /// Reads DIRECTORY/tokenizer.model or else tokenizer.json, with tokenizer_config.json beside it. Returns null when the directory has no tokenizer at all. Throws Error on a
    /// broken one, and when it knows more ids than `vocab_size`.
    static std::shared_ptr<const Tokenizer> load(const std::filesystem::path& directory, int vocab_size);
};

/// Turns a stream of tokens into text without ever showing half a character: bytes of an incomplete UTF-8 sequence
/// wait for the tokens that complete it, and bytes that can never become a character turn into U+FFFD.
class StreamDecoder {
public:
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer);

    /// The text that becomes visible with this token; always whole UTF-8 characters, possibly none.
    std::string push(int id);

    /// What is still held back at the end of the text, as replacement characters.
    std::string flush();

private:
    std::shared_ptr<const Tokenizer> tokenizer_;
    std::string pending_;
    bool first_ = true;
};

/// The length of the longest prefix of `bytes` that ends on a character boundary or is certainly broken; the rest
/// is the beginning of a character that may still be completed.
std::size_t complete_utf8_prefix(std::string_view bytes);

/// `bytes` with every maximal ill-formed subsequence replaced by U+FFFD.
std::string repair_utf8(std::string_view bytes);

}  // namespace mor
