// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mor/types.hpp"

namespace mor {

/// A dense row-major tensor in memory that somebody else owns (a mapped file, mostly).
struct TensorView {
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    const std::byte* data = nullptr;  ///< may be unaligned

    std::int64_t elements() const {
        std::int64_t n = 1;
        for (auto d : shape) n *= d;
        return n;
    }
    std::int64_t bytes() const { return elements() * bytes_of(dtype); }
};

}  // namespace mor
