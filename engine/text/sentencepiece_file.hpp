// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mor {

/// Numbers are those of the format (sentencepiece_model.proto).
enum class PieceType : std::uint8_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

struct Piece {
    std::string text;  ///< UTF-8; a blank is written as U+2581
    PieceType type = PieceType::Normal;
};

/// A tokenizer.model (a serialized protocol buffer), read and checked before the library sees it, because the library
/// trusts the tables inside.
struct SentencePieceFile {
    std::vector<Piece> pieces;
    bool adds_dummy_prefix = true;  ///< a blank is invented in front of every text
    std::string model;              ///< the parts that encoding needs, for the library
};

/// `content` is the whole file; `file` its name, for messages. Throws Error.
SentencePieceFile read_sentencepiece(std::string_view content, const std::string& file);

}  // namespace mor
