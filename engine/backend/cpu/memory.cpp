// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "mor/error.hpp"

namespace mor::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::string shape_of(const TensorView& t) {
    std::string text = "[";
    for (std::size_t i = 0; i < t.shape.size(); ++i) text += (i ? ", " : "") + std::to_string(t.shape[i]);
    return text + "]";
}

}  // namespace

std::shared_ptr<std::byte> allocate_aligned(std::size_t bytes) {
    const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
    const std::size_t size = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    auto* p = static_cast<std::byte*>(std::aligned_alloc(alignment, size));
    if (!p) throw std::bad_alloc();
    // Advice only: where huge pages are not to be had, small ones do.
    if (alignment == kHugePage) madvise(p, size, MADV_HUGEPAGE);
    return {p, [](std::byte* q) { std::free(q); }};
}

CpuMatrix::CpuMatrix(std::span<const TensorView> row_blocks) {
    if (row_blocks.empty()) throw Error("matrix: expected at least one block of rows, got none");
    std::int64_t rows = 0;
    const TensorView& first = row_blocks.front();
    for (const TensorView& block : row_blocks) {
        if (block.shape.size() != 2 || block.shape[1] != first.shape.at(1) || block.dtype != first.dtype) {
            throw Error("matrix: expected blocks of one type and width, got " + shape_of(block) + " beside " +
                        shape_of(first));
        }
        rows += block.shape[0];
    }
    out = static_cast<int>(rows);
    in = static_cast<int>(first.shape[1]);
    dtype = first.dtype;
    data_ = allocate_aligned(static_cast<std::size_t>(rows * in * bytes_of(dtype)));
    std::byte* target = data_.get();
    for (const TensorView& block : row_blocks) {
        if (block.bytes() > 0) std::memcpy(target, block.data, static_cast<std::size_t>(block.bytes()));
        target += block.bytes();
    }
}

CpuVector::CpuVector(std::span<const float> values) : data_(allocate_aligned(values.size_bytes())) {
    size = static_cast<int>(values.size());
    if (!values.empty()) std::memcpy(data_.get(), values.data(), values.size_bytes());
}

}  // namespace mor::cpu
