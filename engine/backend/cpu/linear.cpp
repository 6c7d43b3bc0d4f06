// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/linear.hpp"

#include <algorithm>

#include "backend/cpu/isa.hpp"
#include "backend/cpu/library_product.hpp"

namespace mor::cpu {
namespace {

constexpr int kFewRows = 16;      ///< up to here our own kernels are as fast as the library (tests/bench/bench_kernels)
constexpr int kExactRows = 4;     ///< up to here compute bf16 changes nothing: reading the weights takes the time
constexpr int kFewRowsOuts = 64;  ///< outputs per tile
constexpr int kLibraryRows = 256;
constexpr int kWidthStep = 16;
constexpr int kLibraryOuts = 128;  ///< at most

int pieces(int n, int size) { return (n + size - 1) / size; }

}  // namespace

Linear::Linear(const Kernels& kernels, ThreadPool& pool, DType compute)
    : kernels_(kernels),
      pool_(pool),
      compute_(compute),
      bf16_products_(kernels.can.bf16_products && has_bf16_products()),
      workers_(static_cast<std::size_t>(pool.threads())) {}

double Linear::pass_flops() const {
    // Two threads, SmolLM2-135M: 30 GFLOP take 67 ms in bfloat16 on a Xeon (AMX), 120 ms on an EPYC (AVX-512).
    constexpr double kBf16Flops = 3e10;
    return compute_ == DType::BF16 && bf16_products_ ? kBf16Flops : kernels_.can.pass_flops;
}

Linear::Tiling Linear::tiling(int n, int outs) {
    if (n <= kFewRows) return {kFewRows, kFewRowsOuts};
    // An even number of equally wide tiles, so that no thread of a few waits long for the last one.
    const int tiles = pieces(outs, 2 * kLibraryOuts) * 2;
    return {kLibraryRows, pieces(pieces(outs, tiles), kWidthStep) * kWidthStep};
}

bool Linear::rounds(const Product& p) const {
    return compute_ == DType::BF16 && p.w->dtype == DType::BF16 && p.n > kExactRows;
}

/// Replaces the activations by themselves rounded to bfloat16; `offset` counts elements of the shared scratch.
void Linear::round(Product& p, std::size_t offset) {
    const std::ptrdiff_t width = p.w->in;
    const float* const x = p.x;
    float* const target = rounded_.data() + offset;
    auto* const bits = reinterpret_cast<std::uint16_t*>(target);
    pool_.parallel_for(p.n, [&](int r, int) {
        if (bf16_products_) {
            kernels_.narrow(x + r * width, DType::BF16, width, bits + r * width);
        } else {
            kernels_.round_to_bf16(x + r * width, width, target + r * width);
        }
    });
    if (bf16_products_) {
        p.rounded = bits;
    } else {
        p.x = target;
    }
}

void Linear::run(std::span<const Product> products) {
    std::vector<Product> parts;
    std::vector<int> first_tile{0};
    std::size_t rounded_size = 0;
    for (const Product& p : products) rounded_size += rounds(p) ? static_cast<std::size_t>(p.n) * p.w->in : 0;
    rounded_.get(rounded_size);
    std::size_t offset = 0;
    for (const Product& p : products) {
        if (p.n == 0 || p.end == p.begin) continue;
        parts.push_back(p);
        if (rounds(p)) {
            round(parts.back(), offset);
            offset += static_cast<std::size_t>(p.n) * p.w->in;
        }
        const Tiling t = tiling(p.n, p.end - p.begin);
        first_tile.push_back(first_tile.back() + pieces(p.n, t.rows) * pieces(p.end - p.begin, t.outs));
    }
    pool_.parallel_for(first_tile.back(), [&](int number, int thread) {
        const auto part = static_cast<std::size_t>(std::upper_bound(first_tile.begin(), first_tile.end(), number) -
                                                   first_tile.begin() - 1);
        Product p = parts[part];
        const Tiling t = tiling(p.n, p.end - p.begin);
        const bool library = p.n > kFewRows;
        const int row_tiles = pieces(p.n, t.rows), local = number - first_tile[part];
        const int row = local % row_tiles * t.rows, out = local / row_tiles * t.outs;
        p.x += static_cast<std::ptrdiff_t>(row) * p.w->in;
        if (p.rounded) p.rounded += static_cast<std::ptrdiff_t>(row) * p.w->in;
        p.y += row * p.ldy + out;
        p.n = std::min(t.rows, p.n - row);
        p.begin += out;
        p.end = std::min(p.begin + t.outs, p.end);
        tile(workers_[static_cast<std::size_t>(thread)], p, library);
    });
}

void Linear::tile(Worker& worker, const Product& p, bool library) {
    const int outs = p.end - p.begin, in = p.w->in;
    const std::byte* w = p.w->row(p.begin);
    if (p.rounded) return worker.bf16.product(p.rounded, p.n, w, in, outs, p.y, p.ldy, p.add);
    if (!library) return kernels_.product(p.x, in, p.n, w, p.w->dtype, in, outs, p.y, p.ldy, p.add);
    const float* wide = reinterpret_cast<const float*>(w);
    if (p.w->dtype != DType::F32) {
        const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(outs) * in;
        float* const scratch = worker.weights.get(static_cast<std::size_t>(kLibraryOuts) * in);
        kernels_.widen(w, p.w->dtype, count, scratch);
        wide = scratch;
    }
    library_product(p.x, p.n, wide, in, outs, p.y, p.ldy, p.add);
}

void Linear::swiglu(const float* x, int n, const CpuMatrix& w, float* h) {
    const int ffn = w.out / 2;
    Product whole{x, n, &w, 0, ffn, nullptr, 0, false};
    if (rounds(whole)) {
        rounded_.get(static_cast<std::size_t>(n) * w.in);
        round(whole, 0);
    }
    const Tiling t = tiling(n, ffn);
    const int row_tiles = pieces(n, t.rows);
    pool_.parallel_for(row_tiles * pieces(ffn, t.outs), [&](int number, int thread) {
        Worker& worker = workers_[static_cast<std::size_t>(thread)];
        const int row = number % row_tiles * t.rows, out = number / row_tiles * t.outs;
        const int rows = std::min(t.rows, n - row), outs = std::min(t.outs, ffn - out);
        float* const gate = worker.activations.get(2 * static_cast<std::size_t>(t.rows) * t.outs);
        float* const up = gate + static_cast<std::ptrdiff_t>(t.rows) * t.outs;
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(row) * w.in;
        const std::uint16_t* const tile_rounded = whole.rounded ? whole.rounded + at : nullptr;
        tile(worker, {whole.x + at, rows, &w, out, out + outs, gate, t.outs, false, tile_rounded}, n > kFewRows);
        tile(worker, {whole.x + at, rows, &w, ffn + out, ffn + out + outs, up, t.outs, false, tile_rounded}, n > kFewRows);
        for (int r = 0; r < rows; ++r) {
            kernels_.swiglu(gate + r * t.outs, up + r * t.outs, outs, h + static_cast<std::ptrdiff_t>(row + r) * ffn + out);
        }
    });
}

}  // namespace mor::cpu
