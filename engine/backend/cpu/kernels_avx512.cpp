// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 F, BW, DQ and VL. Nothing with external linkage but the table may come from this file; see
// kernels_avx2.cpp.
#include <immintrin.h>

#include "backend/cpu/kernels.hpp"

namespace mor::cpu {
namespace {

#define MOR_INLINE static inline __attribute__((always_inline))

constexpr int kLanes = 16;
constexpr int kProductRows = 4;  // 4 x 4 sums, 4 activations and a weight of the 32 registers
constexpr int kProductOuts = 4;
constexpr int kStripVectors = 4;  // of queries in attend()
typedef __m512 F;
typedef int I __attribute__((vector_size(64)));
typedef unsigned U __attribute__((vector_size(64)));
typedef unsigned short S __attribute__((vector_size(32)));

MOR_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
MOR_INLINE F widen_f16(S bits) { return _mm512_cvtph_ps(reinterpret_cast<__m256i>(bits)); }
MOR_INLINE S narrow_f16(F f) { return reinterpret_cast<S>(_mm512_cvtps_ph(f, _MM_FROUND_TO_NEAREST_INT)); }

/// The sums of four vectors' lanes.
MOR_INLINE void sum4(F a, F b, F c, F d, float* out) {
    const F ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const F cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const F abcd = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

MOR_INLINE float largest_lane(F a) {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#include "backend/cpu/kernels.inl"

}  // namespace

const Kernels& avx512_kernels() {
    // SmolLM2-135M on a Xeon: 10 GFLOP in 76 ms.
    static constexpr Kernels table = make_table("avx512", {.pass_flops = 1e10, .bf16_products = true});
    return table;
}

}  // namespace mor::cpu
