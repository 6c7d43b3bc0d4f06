// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "mor/types.hpp"

namespace mor::cpu {

/// Attention of some queries over the entries of one chunk. Matrices of queries have them in their columns and rows of
/// `strip` elements (Kernels), of which those from `queries` on may hold any finite numbers.
struct AttendTask {
    const float* q;      ///< [d, strip]
    const float* k;      ///< [entries, d]
    const float* v;      ///< [entries, d]
    const int* visible;  ///< [strip] how many of the entries each query sees
    int queries;
    int entries;
    int d;
    float scale;
    float* scores;   ///< [entries, strip], overwritten
    float* largest;  ///< [strip] of scale q . k over the visible entries; 0 where there are none
    float* sum;      ///< [strip] of exp(scale q . k - largest)
    float* values;   ///< [d, strip] sum of exp(scale q . k - largest) v
};

/// What callers may expect of a set, and of the machines that run it.
struct Capabilities {
    double pass_flops;   ///< of a float32 pass that two threads end within some tens of milliseconds
    bool bf16_products;  ///< where the library multiplies bfloat16 in hardware, it may be used beside this set
};

/// Single-threaded inner loops in one instruction set. The same source is compiled once per set; callers hold a
/// reference to the table chosen at run time. No function allocates, throws or keeps state.
struct Kernels {
    const char* name;  ///< for people and settings
    Capabilities can;

    /// y[r ldy + o] (+)= sum over k of x[r ldx + k] w[o in + k], for r < n and o < outs. Every (r, o) is summed in the
    /// same order whatever n and outs are, so a row's result does not depend on its neighbours.
    void (*product)(const float* x, std::ptrdiff_t ldx, int n, const void* w, DType type, int in, int outs, float* y,
                    std::ptrdiff_t ldy, bool add);

    void (*widen)(const void* source, DType type, std::ptrdiff_t count, float* target);

    /// Rounds to nearest, ties to even.
    void (*narrow)(const float* source, DType type, std::ptrdiff_t count, void* target);

    /// y = x rounded to bfloat16, as float32
    void (*round_to_bf16)(const float* x, std::ptrdiff_t count, float* y);

    /// y = x / sqrt(mean(x^2) + eps) * weight
    void (*rms_norm)(const float* x, const float* weight, int width, float eps, float* y);

    /// Half-split rotation in place: (a, b) -> (a cos - b sin, b cos + a sin) for head = a[half] b[half].
    void (*rotate)(const float* cos, const float* sin, int half, float* head);

    /// h = gate / (1 + exp(-gate)) * up
    void (*swiglu)(const float* gate, const float* up, int n, float* h);

    /// x += factor * y
    void (*add_scaled)(const float* y, float factor, int n, float* x);

    /// y = exp(x), within 2 units in the last place; subnormal results, 0 and infinity included
    void (*exp)(const float* x, int n, float* y);

    /// s = exp(scale s - m) with m the largest of scale s; returns the sum of the new s. n > 0.
    float (*softmax)(float* s, int n, float scale, float* m);

    /// acc[q lda + j] += sum over e of p[q ldp + e] v[e d + j], for q < queries and j < d, entries in ascending order
    void (*weighted_sum)(const float* p, std::ptrdiff_t ldp, int queries, const void* v, DType type, int d, int entries,
                         float* acc, std::ptrdiff_t lda);

    int strip;  ///< the most queries that attend() takes

    /// Every query is computed in the same order whatever the other queries are.
    void (*attend)(const AttendTask&);

    float (*largest)(const float* x, int n);  ///< n > 0

    /// Sum of exp(x - m)
    float (*sum_exp)(const float* x, int n, float m);
};

const Kernels& generic_kernels();
#ifdef MOR_CPU_X86
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
#endif

}  // namespace mor::cpu
