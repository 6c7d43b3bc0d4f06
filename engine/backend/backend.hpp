// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mor/devices.hpp"
#include "mor/settings.hpp"
#include "tensor/tensor_view.hpp"

/// What computes. The forward pass is written once, on top of these row operations; a backend implements each of
/// them for its memory. `float*` parameters point to backend memory unless a comment says host; spans are host.
/// n counts rows, H is hidden_size, D head_dim, all matrices are row-major.
namespace mor {

/// Weights of one linear map, [out, in], in the layout and type the backend likes.
class Matrix {
public:
    virtual ~Matrix() = default;
    int out = 0;
    int in = 0;
    DType dtype = DType::F32;
};

/// A vector of weights in float32.
class Vector {
public:
    virtual ~Vector() = default;
    int size = 0;
};

struct LayerShape {
    int hidden = 0;
    int heads = 0;
    int kv_heads = 0;
    int head_dim = 0;  ///< even
    int ffn = 0;
    float norm_eps = 0;
    const Vector* rope_cos = nullptr;  ///< [context, D / 2]
    const Vector* rope_sin = nullptr;
    DType kv_type = DType::F32;
    int block_entries = 0;  ///< N, tokens per KV block
};

struct LayerWeights {
    std::shared_ptr<const Vector> attention_norm;  ///< [H]
    std::shared_ptr<const Matrix> qkv;             ///< [(heads + 2 kv_heads) D, H]: q rows, then k, then v
    std::shared_ptr<const Matrix> out;             ///< [H, heads D]
    std::shared_ptr<const Vector> ffn_norm;        ///< [H]
    std::shared_ptr<const Matrix> gate_up;         ///< [2 ffn, H]: gate rows, then up
    std::shared_ptr<const Matrix> down;            ///< [H, ffn]
};

/// Linear router: outer only. MLP router: outer * gelu_erf(inner * x).
struct RouterWeights {
    std::shared_ptr<const Matrix> inner;  ///< [I, H] or null
    std::shared_ptr<const Matrix> outer;  ///< [outputs, H or I]
    explicit operator bool() const { return outer != nullptr; }
};

/// Rows in front of the same router.
struct RoutingPoint {
    const RouterWeights* router = nullptr;
    std::span<const int> rows;  ///< of x
    float scale = 1;            ///< what the router's input is multiplied with
    float* outputs = nullptr;   ///< host, [rows, outputs]
};

/// One row's place in one layer's KV slot. A block holds, for each layer of its membership group, K
/// [kv_heads, N, D] and then V [kv_heads, N, D].
struct KvRow {
    std::byte* const* blocks = nullptr;  ///< block table of {sequence, group}, backend addresses
    std::int64_t offset = 0;             ///< bytes from a block's start to this layer's K
    int position = 0;                    ///< for RoPE
    int visible = 0;                     ///< entries this row sees, its own included where it writes
    int write = -1;                      ///< entry this row's K/V goes to; -1: none
};

/// The best of one row of logits.
struct Pick {
    float log_sum_exp = 0;
    float wanted = std::numeric_limits<float>::quiet_NaN();  ///< logit of the token that was asked for
    std::vector<std::pair<int, float>> top;                  ///< (token, logit), best first, ties to the lower token
};

class Backend {
public:
    virtual ~Backend() = default;

    virtual std::string description() const = 0;  ///< for people: "CPU · avx512 · 2 threads"

    /// How much work of a prefill one pass may hold: enough to keep the device busy, and so little that a pass ends well
    /// within the time in which Stop has to answer.
    struct PassSize {
        double flops = 4e9;
        int least_rows = 16, most_rows = 128;
    };
    virtual PassSize pass_size() const { return {}; }

    // --- measurement; see mor/devices.hpp
    virtual void measure_operations(bool) {}
    virtual std::vector<OperationTime> take_operation_times() { return {}; }
    virtual double memory_bandwidth() const { return 0; }

    // --- memory. Buffers are 64-byte aligned, uninitialised, and live as long as the returned pointer.
    virtual std::shared_ptr<std::byte> allocate(std::size_t bytes) = 0;
    /// Gives back what it keeps for later operations.
    virtual void release_memory() {}
    virtual void download(const float* source, std::size_t count, float* host) = 0;
    virtual void upload(const void* host, std::size_t bytes, void* target) = 0;

    // --- weights. Row blocks are stacked; all have the same number of columns and the same type.
    virtual std::shared_ptr<const Matrix> matrix(std::span<const TensorView> row_blocks) = 0;
    virtual std::shared_ptr<const Vector> vector(std::span<const float> values) = 0;

    // --- row operations
    /// x[rows[i]] = table[ids[i]]
    virtual void embed(const Matrix& table, std::span<const int> ids, std::span<const int> rows, float* x) = 0;

    /// y[i] = x[rows[i]], rows of `width` floats
    virtual void gather(const float* x, std::span<const int> rows, int width, float* y) = 0;

    /// x[rows[i]] += gates[i] * y[i]; empty gates: x[rows[i]] = y[i]
    virtual void combine(const float* y, std::span<const int> rows, std::span<const float> gates, int width, float* x) = 0;

    /// RMSNorm, then q for rows [0, q_rows) and K/V for rows [kv_begin, n), RoPE on q and k, K/V written where
    /// kv[i].write >= 0. q is [q_rows, heads D].
    virtual void attn_in(const LayerWeights&, const LayerShape&, const float* x, std::span<const KvRow> kv, int q_rows,
                         int kv_begin, float* q) = 0;

    /// out[i] = softmax(q k^T / sqrt(D)) v over entries [0, kv[i].visible); out is [n, heads D], n = kv.size()
    virtual void attention(const LayerShape&, const float* q, std::span<const KvRow> kv, float* out) = 0;

    /// x[i] += w a[i]; a is [n, w.in], x is [n, w.out]
    virtual void linear_add(const Matrix& w, const float* a, int n, float* x) = 0;

    /// h[i] = silu(gate) * up of RMSNorm(x[i]); h is [n, ffn]
    virtual void ffn_in(const LayerWeights&, const LayerShape&, const float* x, int n, float* h) = 0;

    /// Raw router outputs for x[rows[i]] * scale, at all points with one wait, in float32 with one fixed order of summation
    /// on every machine of the backend and for any number of rows and points.
    virtual void route(std::span<const RoutingPoint>, const float* x) = 0;

    /// logits[i] = w RMSNorm(x[rows[i]]); logits is [rows, w.out]
    virtual void head(const Vector& norm, float eps, const Matrix& w, const float* x, std::span<const int> rows,
                      float* logits) = 0;

    /// Log-sum-exp and the k best of each of n rows of logits; and the logit of one more token of each, wanted [n] with
    /// -1 for none, or empty. Nothing else of the logits travels to the host.
    virtual std::vector<Pick> pick(const float* logits, int n, int vocab, int k, std::span<const int> wanted = {}) = 0;
};

/// The CPU backend. Throws Error when `cpu_isa` names kernels this machine cannot run.
std::shared_ptr<Backend> make_cpu_backend(const DeviceSettings&);

/// The CUDA backend of the first device, from the module found at run time. Throws DeviceError saying what is missing.
std::shared_ptr<Backend> make_cuda_backend(const DeviceSettings&);

/// Names of the kernel sets this machine can run, best first; "generic" is always the last.
std::vector<std::string> cpu_isas();

}  // namespace mor
