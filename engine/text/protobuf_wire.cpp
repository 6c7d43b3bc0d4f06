// SPDX-License-Identifier: Apache-2.0
#include "text/protobuf_wire.hpp"

namespace mor {

std::optional<std::uint64_t> WireReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        if (shift == 63 && byte > 1) return std::nullopt;  // a tenth byte has room for one bit
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> WireReader::fixed(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
    rest_.remove_prefix(bytes);
    return value;
}

bool WireReader::read_value(WireField& field) {
    std::optional<std::uint64_t> value;
    if (field.type == 0) value = varint();
    if (field.type == 1) value = fixed(8);
    if (field.type == 5) value = fixed(4);
    if (field.type == 2) {
        value = varint();
        if (!value || *value > rest_.size()) return false;
        field.bytes = rest_.substr(0, *value);
        rest_.remove_prefix(*value);
    }
    field.value = value.value_or(0);
    return value.has_value();  // groups (types 3 and 4) have long been out of use
}

std::optional<WireField> WireReader::next() {
    if (broken_ || rest_.empty()) return std::nullopt;
    const std::string_view before = rest_;
    WireField field;
    const auto tag = varint();
    broken_ = !tag || *tag >> 3 == 0 || *tag >> 32 != 0;
    if (broken_) return std::nullopt;
    field.number = static_cast<std::uint32_t>(*tag >> 3);
    field.type = static_cast<int>(*tag & 7u);
    broken_ = !read_value(field);
    if (broken_) return std::nullopt;
    field.raw = before.substr(0, before.size() - rest_.size());
    return field;
}

}  // namespace mor
