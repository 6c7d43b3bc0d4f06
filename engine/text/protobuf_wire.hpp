// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mor {

/// One field of a serialized protocol buffer message.
struct WireField {
    std::uint32_t number = 0;
    int type = 0;             ///< 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
    std::uint64_t value = 0;  ///< of types 0, 1 and 5
    std::string_view bytes;   ///< of type 2
    std::string_view raw;     ///< the field as it stands in the message, tag included
};

/// Walks over the fields of a message. Reads what protocol buffers define and nothing beyond the message's end.
class WireReader {
public:
    explicit WireReader(std::string_view message) : rest_(message) {}

    /// The next field; nothing at the end, or where the bytes are no field (broken() tells which).
    std::optional<WireField> next();
    bool broken() const { return broken_; }

private:
    std::optional<std::uint64_t> varint();
    std::optional<std::uint64_t> fixed(std::size_t bytes);
    bool read_value(WireField&);

    std::string_view rest_;
    bool broken_ = false;
};

}  // namespace mor
