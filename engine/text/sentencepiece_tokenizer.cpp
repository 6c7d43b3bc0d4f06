// SPDX-License-Identifier: Apache-2.0
#include "text/sentencepiece_tokenizer.hpp"

#include <sentencepiece_processor.h>

#include <charconv>
#include <exception>

#include "io/mapped_file.hpp"
#include "mor/error.hpp"
#include "text/utf8.hpp"
#include "text/visible_text.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestModel = 256u << 20;  // bytes
constexpr std::string_view kBlank = "\xE2\x96\x81";   // U+2581, a blank inside a piece
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string with_blanks(std::string_view piece) {
    std::string text;
    while (!piece.empty()) {
        const auto at = std::min(piece.find(kBlank), piece.size());
        text += piece.substr(0, at);
        if (at < piece.size()) text += ' ';
        piece.remove_prefix(std::min(piece.size(), at + kBlank.size()));
    }
    return text;
}

/// The byte that "<0x0A>" stands for.
std::optional<char> byte_of(std::string_view piece) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return std::nullopt;
    unsigned value = 0;
    const char* end = piece.data() + 5;
    const auto [stop, error] = std::from_chars(piece.data() + 3, end, value, 16);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return static_cast<char>(value);
}

std::unique_ptr<const sentencepiece::SentencePieceProcessor> open_library(const std::string& model,
                                                                          const std::string& file) {
    auto library = std::make_unique<sentencepiece::SentencePieceProcessor>();
    std::string problem;
    try {
        const auto status = library->LoadFromSerializedProto(model);
        if (!status.ok()) problem = status.error_message();
    } catch (const std::exception& e) {  // the library's trie builder throws
        problem = e.what();
    }
    if (!problem.empty()) throw bad_input(file, "content", "a SentencePiece model", visible_text(problem));
    return library;
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& file, bool add_bos) {
    const std::string name = file.string();
    auto content = read_sentencepiece(read_text_file(file, kLargestModel), name);
    for (std::size_t i = 0; i < content.pieces.size(); ++i) {
        const auto& p = content.pieces[i];
        if (p.type == PieceType::Byte && !byte_of(p.text)) {
            throw bad_input(name, "piece " + std::to_string(i), "a byte such as <0x0A>", visible_text(p.text));
        }
    }
    library_ = open_library(content.model, name);
    pieces_ = std::move(content.pieces);
    adds_dummy_prefix_ = content.adds_dummy_prefix;
    if (!add_bos) return;
    bos_ = library_->bos_id();
    if (bos_ < 0) throw bad_input(name, "pieces", "a BOS piece, because tokenizer_config.json has add_bos_token", "none");
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

const Piece* SentencePieceTokenizer::piece(int id) const {
    return id >= 0 && id < size() ? &pieces_[static_cast<std::size_t>(id)] : nullptr;
}

std::vector<int> SentencePieceTokenizer::encode(std::string_view text) const {
    if (const auto at = find_invalid_utf8(text)) {
        throw bad_input("text", "byte " + std::to_string(*at), "UTF-8", "something else (save the text as UTF-8)");
    }
    std::vector<int> ids;
    const auto status = library_->Encode(text, &ids);
    if (!status.ok()) throw Error("text: the tokenizer cannot encode it: " + std::string(status.error_message()));
    if (bos_ >= 0) ids.insert(ids.begin(), bos_);
    return ids;
}

std::string SentencePieceTokenizer::bytes(int id, bool first) const {
    const Piece* p = piece(id);
    if (!p || p->type == PieceType::Unknown) return std::string(kReplacement);
    if (p->type == PieceType::Control) return {};
    if (p->type == PieceType::Byte) return std::string(1, byte_of(p->text).value_or('\0'));
    std::string_view text = p->text;
    if (first && adds_dummy_prefix_ && text.starts_with(kBlank)) text.remove_prefix(kBlank.size());
    return with_blanks(text);
}

std::string SentencePieceTokenizer::label(int id) const {
    const Piece* p = piece(id);
    return p ? visible_text(with_blanks(p->text)) : "<" + std::to_string(id) + ">";
}

}  // namespace mor
