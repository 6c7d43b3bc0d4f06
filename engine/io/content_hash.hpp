// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/tensor_view.hpp"

namespace mor {

/// A 64-bit hash of bytes, for telling contents apart by accident, not by attack: eight bytes per step in four
/// independent lanes, so that it runs at the speed of memory. Lengths count: {"ab", "c"} is not {"a", "bc"}.
class ContentHash {
public:
    void add(std::span<const std::byte>);
    void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
    void add(const TensorView&);  ///< type, shape and data
    std::uint64_t value() const { return state_; }

private:
    std::uint64_t state_ = 0x9e3779b97f4a7c15u;
};

/// As 16 hexadecimal digits.
std::string hex16(std::uint64_t);

/// Same type, shape and bytes; a tensor stored twice is the same as one stored once.
bool same_content(const TensorView&, const TensorView&);

}  // namespace mor
