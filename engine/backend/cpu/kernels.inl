// SPDX-License-Identifier: Apache-2.0
// The kernels, written once. Included inside an anonymous namespace by kernels_*.cpp, which define the vector types
// F, I, U (32-bit lanes) and S (16-bit lanes), kLanes, kProductRows, kProductOuts, kStripVectors, fma, widen_f16,
// narrow_f16, sum4 and largest_lane.
// No header of the standard library may be used from here on (see kernels_avx2.cpp).

#include "backend/cpu/kernels_memory.inl"

#include "backend/cpu/kernels_product.inl"

#include "backend/cpu/kernels_rows.inl"

#include "backend/cpu/kernels_attention.inl"

#include "backend/cpu/kernels_attend.inl"

constexpr Kernels make_table(const char* name, Capabilities can) {
    return {name,       can,         product, widen,        narrow, round_to_bf16, rms_norm, rotate, swiglu,
            add_scaled, exponential, softmax, weighted_sum, kStrip, attend,        largest,  sum_exp};
}
