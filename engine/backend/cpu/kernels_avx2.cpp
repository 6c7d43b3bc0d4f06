// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2, FMA and F16C. Nothing with external linkage but the table may come from this file: an inline
// function of a header, compiled here, could replace the one the generic kernels use on a machine without AVX2.
#include <immintrin.h>

#include "backend/cpu/kernels.hpp"

namespace mor::cpu {
namespace {

#define MOR_INLINE static inline __attribute__((always_inline))

constexpr int kLanes = 8;
constexpr int kProductRows = 3;  // 3 x 4 sums, 3 activations and a weight fill the 16 registers
constexpr int kProductOuts = 4;
constexpr int kStripVectors = 2;  // of queries in attend()
typedef __m256 F;
typedef int I __attribute__((vector_size(32)));
typedef unsigned U __attribute__((vector_size(32)));
typedef unsigned short S __attribute__((vector_size(16)));

MOR_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
MOR_INLINE F widen_f16(S bits) { return _mm256_cvtph_ps(reinterpret_cast<__m128i>(bits)); }
MOR_INLINE S narrow_f16(F f) { return reinterpret_cast<S>(_mm256_cvtps_ph(f, _MM_FROUND_TO_NEAREST_INT)); }

/// The sums of four vectors' lanes.
MOR_INLINE void sum4(F a, F b, F c, F d, float* out) {
    const F ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    const F cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    const F abcd = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
}

MOR_INLINE float largest_lane(F a) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#include "backend/cpu/kernels.inl"

}  // namespace

const Kernels& avx2_kernels() {
    static constexpr Kernels table = make_table("avx2", {.pass_flops = 1e10, .bf16_products = false});
    return table;
}

}  // namespace mor::cpu
