// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cuda/context.hpp"

/// The operations of backend.hpp on device pointers. All pointers are device memory (or staged, see StagingRing) unless a
/// comment says host; matrices are row-major; n, H, D as in backend.hpp. Everything is enqueued on the context's stream.
namespace mor::cuda {

// --- rows.cu
void embed(Context&, const DeviceMatrix& table, const int* ids, const int* rows, int n, float* x);
void gather(Context&, const float* x, const int* rows, int n, int width, float* y);
/// gates may be null: replace.
void combine(Context&, const float* y, const int* rows, const float* gates, int n, int width, float* x);

// --- linear.cu: own kernels for few rows (memory-bound), cuBLAS for many. Accumulation in float32.
/// x[i] += w a[i]
void linear_add(Context&, const DeviceMatrix& w, const float* a, int n, float* x);
/// y[i] = w RMSNorm(x[rows[i]]), rows null: i itself; norm null: no normalisation
void linear(Context&, const DeviceMatrix& w, const float* norm, float eps, const float* x, const int* rows, int n,
            float* y);

// --- ffn.cu
/// h[i] = silu(gate) * up of gate_up RMSNorm(x[i]); gate_up is [2 ffn, H]; h is [n, ffn]
void ffn_in(Context&, const DeviceMatrix& gate_up, const float* norm, float eps, const float* x, int n, float* h);

// --- attn_in.cu, attention.cu
/// One row's place in a KV slot, on the device; see KvRow.
struct DeviceKvRow {
    std::byte* const* blocks = nullptr;  ///< the row's block table, in device memory
    int position = 0;
    int visible = 0;
    int write = -1;
    int unused = 0;
};

/// The rows of one operation. A layer's K starts `offsets[i]` bytes into a block, or `offset` where offsets is null.
struct DeviceKv {
    const DeviceKvRow* rows = nullptr;
    const std::int64_t* offsets = nullptr;
    std::int64_t offset = 0;
    int n = 0;
    int longest = 0;  ///< largest `visible` of the rows, known to the host
    int tables = 0;   ///< runs of consecutive rows that read the same entries, known to the host
};

struct AttentionShape {
    int heads = 0, kv_heads = 0, head_dim = 0;
    DType kv_type = DType::F32;
    int block_entries = 0;
    const float* rope_cos = nullptr;  ///< [context, D / 2]
    const float* rope_sin = nullptr;
};

void attn_in(Context&, const AttentionShape&, const DeviceMatrix& qkv, const float* norm, float eps, const float* x,
             const DeviceKv& kv, int q_rows, int kv_begin, float* q);
void attention(Context&, const AttentionShape&, const float* q, const DeviceKv& kv, float* out);

// --- router.cu
/// outer, or outer * gelu_erf(inner *); inner.data null for a linear router.
struct DeviceRouter {
    DeviceMatrix inner;
    DeviceMatrix outer;
};
/// Outputs for x[rows[i]] * scale, [n, outputs], in float32, one fixed order of summation for any n.
void router(Context&, const DeviceRouter&, const float* x, const int* rows, int n, float scale, float* outputs);

// --- pick.cu
struct DevicePick {
    int token;
    float logit;
};
/// Where the results go.
struct DevicePicks {
    DevicePick* best;    ///< [n, k], best first, ties to the lower token
    float* log_sum_exp;  ///< [n]
    float* wanted;       ///< [n] logits of the wanted tokens, NaN where none is; null without such a list
};
/// Of each row of logits [n, vocab]: log-sum-exp, the k best, and the logit of the token wanted[i], -1: none; the list may
/// be null. 1 <= k <= vocab.
void pick(Context&, const float* logits, int n, int vocab, int k, const int* wanted, const DevicePicks&);

}  // namespace mor::cuda
