// SPDX-License-Identifier: Apache-2.0
#include "text/sentencepiece_file.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "mor/error.hpp"
#include "text/protobuf_wire.hpp"
#include "text/utf8.hpp"

namespace mor {
namespace {

constexpr std::size_t kMostPieces = 1u << 20;
constexpr std::size_t kLongestPiece = 4096;        // bytes
constexpr std::size_t kLongestReplacement = 1024;  // bytes a normalisation rule may write
constexpr int kBytes = 2;                          // wire type of strings and messages

/// Reads the fields of one message and complains about it by name.
class Message {
public:
    Message(std::string_view bytes, std::string name, const std::string& file)
        : reader_(bytes), name_(std::move(name)), file_(file) {}

    std::optional<WireField> next() {
        auto field = reader_.next();
        if (reader_.broken()) refuse("a protocol buffer message", "broken or truncated bytes");
        return field;
    }

    [[noreturn]] void refuse(const std::string& expected, const std::string& got) const {
        throw bad_input(file_, name_, expected, got);
    }

private:
    WireReader reader_;
    std::string name_;
    const std::string& file_;
};

Piece read_piece(std::string_view bytes, std::size_t index, const std::string& file) {
    Message message(bytes, "piece " + std::to_string(index), file);
    Piece piece;
    while (const auto field = message.next()) {
        if (field->number == 1 && field->type == kBytes) piece.text = field->bytes;
        if (field->number == 2 && field->type == 5) {
            const float score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
            if (!std::isfinite(score)) message.refuse("a finite score", std::isnan(score) ? "NaN" : "infinity");
        }
        if (field->number == 3 && field->type == 0) {
            if (field->value < 1 || field->value > 6) message.refuse("type 1 to 6", std::to_string(field->value));
            piece.type = static_cast<PieceType>(field->value);
        }
    }
    if (piece.text.empty() || piece.text.size() > kLongestPiece) {
        message.refuse("1 to " + std::to_string(kLongestPiece) + " bytes", std::to_string(piece.text.size()));
    }
    if (find_invalid_utf8(piece.text) || piece.text.find('\0') != piece.text.npos) {
        message.refuse("UTF-8 without NUL", "other bytes");
    }
    return piece;
}

std::uint32_t word_at(std::string_view bytes, std::size_t index) {
    std::uint32_t word;
    std::memcpy(&word, bytes.data() + 4 * index, sizeof word);
    return word;
}

/// Normalisation rules: a length (four bytes), a double-array trie of that many bytes, and the replacement strings it
/// points to, each ended by NUL. The library follows the trie without looking at its end, so every step that any input
/// could take must stay inside: from unit i the next one is i ^ offset ^ byte.
void check_rules(std::string_view rules, const Message& message) {
    const std::string expected = "rules whose trie and replacements stay inside";
    if (rules.empty()) return;
    const std::size_t trie_size = rules.size() > 4 ? word_at(rules, 0) : 0;
    if (trie_size == 0 || trie_size % 1024 != 0 || trie_size >= rules.size() - 4 || rules.back() != '\0') {
        message.refuse(expected,
                       "a trie of " + std::to_string(trie_size) + " in " + std::to_string(rules.size()) + " bytes");
    }
    const auto trie = rules.substr(4, trie_size);
    const auto replacements = rules.substr(4 + trie_size);
    const std::size_t units = trie_size / 4;
    for (std::size_t i = 0; i < units; ++i) {
        const std::uint32_t unit = word_at(trie, i);
        if (unit >> 31) continue;  // a leaf's value; checked where a unit points to it
        const std::size_t next = i ^ (std::size_t{unit >> 10} << ((unit & 0x200u) >> 6));
        if ((next | 0xff) >= units) message.refuse(expected, "unit " + std::to_string(i) + " pointing beyond the trie");
        if ((unit & 0x100u) == 0) continue;
        const std::size_t at = word_at(trie, next) & 0x7fffffffu;
        if (at >= replacements.size() || replacements.find('\0', at) - at > kLongestReplacement) {
            message.refuse(expected, "unit " + std::to_string(i) + " pointing beyond the replacements");
        }
    }
    if (find_invalid_utf8(replacements)) message.refuse("replacements in UTF-8", "other bytes");
}

void read_normalizer(std::string_view bytes, const std::string& name, const std::string& file, bool* adds_dummy_prefix) {
    Message message(bytes, name, file);
    while (const auto field = message.next()) {
        if (field->number == 2 && field->type == kBytes) check_rules(field->bytes, message);
        if (field->number == 3 && field->type == 0 && adds_dummy_prefix) *adds_dummy_prefix = field->value != 0;
    }
}

/// Blanks at the end of words instead of their beginning: then the dummy blank is added at the text's end.
bool blanks_follow(std::string_view trainer, const std::string& file) {
    Message message(trainer, "trainer_spec", file);
    bool follow = false;
    while (const auto field = message.next()) {
        if (field->number == 24 && field->type == 0) follow = field->value != 0;
    }
    return follow;
}

}  // namespace

SentencePieceFile read_sentencepiece(std::string_view content, const std::string& file) {
    enum : std::uint32_t { kPieces = 1, kTrainer = 2, kNormalizer = 3, kDenormalizer = 5 };
    SentencePieceFile result;
    Message message(content, "content", file);
    bool suffix = false;
    while (const auto field = message.next()) {
        if (field->type != kBytes) continue;
        switch (field->number) {
            case kPieces:
                if (result.pieces.size() == kMostPieces) {
                    message.refuse("at most " + std::to_string(kMostPieces) + " pieces", "more");
                }
                result.pieces.push_back(read_piece(field->bytes, result.pieces.size(), file));
                break;
            case kTrainer:
                suffix = blanks_follow(field->bytes, file);
                break;
            case kNormalizer:
                read_normalizer(field->bytes, "normalizer_spec", file, &result.adds_dummy_prefix);
                break;
            case kDenormalizer:
                read_normalizer(field->bytes, "denormalizer_spec", file, nullptr);
                break;
            default:
                continue;  // self tests, whose failures the library prints, and extensions
        }
        result.model += field->raw;
    }
    if (result.pieces.empty()) message.refuse("a SentencePiece model", "no pieces");
    result.adds_dummy_prefix = result.adds_dummy_prefix && !suffix;
    return result;
}

}  // namespace mor
