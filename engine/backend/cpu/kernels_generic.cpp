// SPDX-License-Identifier: Apache-2.0
// Vectors of four floats in the compiler's own vector arithmetic: SSE2 on x86-64, NEON on ARM, and so on.
#include "backend/cpu/kernels.hpp"
#include "tensor/half.hpp"

namespace mor::cpu {
namespace {

#define MOR_INLINE static inline __attribute__((always_inline))

constexpr int kLanes = 4;
constexpr int kProductRows = 2;  // rows that share a weight load; 2 x 4 sums fit into 16 registers
constexpr int kProductOuts = 4;
constexpr int kStripVectors = 2;  // of queries in attend()
typedef float F __attribute__((vector_size(16)));
typedef int I __attribute__((vector_size(16)));
typedef unsigned U __attribute__((vector_size(16)));
typedef unsigned short S __attribute__((vector_size(8)));

MOR_INLINE F fma(F a, F b, F c) { return a * b + c; }

MOR_INLINE F widen_f16(S bits) {
    F f;
    for (int i = 0; i < kLanes; ++i) f[i] = f16_to_f32(bits[i]);
    return f;
}

MOR_INLINE S narrow_f16(F f) {
    S bits;
    for (int i = 0; i < kLanes; ++i) bits[i] = f32_to_f16(f[i]);
    return bits;
}

/// The sums of four vectors' lanes.
MOR_INLINE void sum4(F a, F b, F c, F d, float* out) {
    const F ab = F{a[0], b[0], a[1], b[1]} + F{a[2], b[2], a[3], b[3]};
    const F cd = F{c[0], d[0], c[1], d[1]} + F{c[2], d[2], c[3], d[3]};
    const F sum = F{ab[0], ab[1], cd[0], cd[1]} + F{ab[2], ab[3], cd[2], cd[3]};
    __builtin_memcpy(out, &sum, sizeof sum);
}

MOR_INLINE float largest_lane(F a) {
    float m = a[0];
    for (int i = 1; i < kLanes; ++i) m = a[i] > m ? a[i] : m;
    return m;
}

#include "backend/cpu/kernels.inl"

}  // namespace

const Kernels& generic_kernels() {
    static constexpr Kernels table = make_table("generic", {.pass_flops = 2e9, .bf16_products = false});
    return table;
}

}  // namespace mor::cpu
