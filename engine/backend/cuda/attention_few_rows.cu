// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/attention.cuh"
#include "backend/cuda/reductions.cuh"

/// Attention of few rows: each block reads a span of one row's entries of one K/V head once, for all query heads that
/// belong to it. An entry is read by as many lanes as it has 16-byte vectors, so a warp reads up to 512 bytes at a time;
/// each such group of lanes goes its own way through the entries and the groups' results are merged at the end.
namespace mor::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kLeastSpan = 64;   ///< entries
constexpr int kUndivided = 256;  ///< up to so many entries, a second kernel to merge parts costs more than it saves

/// The state of G online softmaxes in one lane: V vectors of E elements of each.
template <int G, int V, int E>
struct Softmaxes {
    float largest[G], sum[G], values[G][V][E];

    __device__ __forceinline__ Softmaxes() {
#pragma unroll
        for (int g = 0; g < G; ++g) {
            largest[g] = -INFINITY;
            sum[g] = 0;
#pragma unroll
            for (int v = 0; v < V; ++v)
#pragma unroll
                for (int e = 0; e < E; ++e) values[g][v][e] = 0;
        }
    }

    /// Makes `now` the largest score of softmax g.
    __device__ __forceinline__ void raise(int g, float now) {
        const float factor = shrink(largest[g], now);
        sum[g] *= factor;
#pragma unroll
        for (int v = 0; v < V; ++v)
#pragma unroll
            for (int e = 0; e < E; ++e) values[g][v][e] *= factor;
        largest[g] = now;
    }

    /// Adds what the lane `distance` away has. Both must call it.
    __device__ __forceinline__ void merge(int distance) {
#pragma unroll
        for (int g = 0; g < G; ++g) {
            const float theirs = __shfl_xor_sync(kAllLanes, largest[g], distance), now = fmaxf(largest[g], theirs);
            raise(g, now);
            sum[g] += __shfl_xor_sync(kAllLanes, sum[g], distance);
#pragma unroll
            for (int v = 0; v < V; ++v)
#pragma unroll
                for (int e = 0; e < E; ++e) values[g][v][e] += __shfl_xor_sync(kAllLanes, values[g][v][e], distance);
        }
    }
};

/// B entries of a lane on their way: V vectors of their keys and of their values.
template <class T, int E, int V, int B>
struct Batch {
    Packed<T, E> keys[B][V], values[B][V];

    /// `lane` is the lane's first vector; the next are `lanes` further on.
    __device__ __forceinline__ void load(const Entries<T>& entries, int first, int stride, int end, int lane, int lanes) {
        const int vectors = entries.head_dim / E;
#pragma unroll
        for (int b = 0; b < B; ++b) {
            if (first + b * stride >= end) continue;
            const T* const key = entries.key(first + b * stride);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const int at = lane + v * lanes;
                if (at >= vectors) continue;
                keys[b][v].load(key + at * E);
                values[b][v].load(key + entries.to_values + at * E);
            }
        }
    }
};

/// Blocks that a multiprocessor is to hold at once. Without this the compiler makes room for a sixth of one head by keeping
/// a register in memory (sm_80).
template <int G>
inline constexpr int kBlocks = G == 1 ? 5 : 2;

/// Block (row and split, K/V head and chunk of its query heads). `lanes`, a power of two, read an entry together.
template <class T, int E, int V, int G, int B>
__global__ void __launch_bounds__(kThreads, kBlocks<G>) few_rows_attention(const AttentionTask t, int lanes) {
    GPU_DYN_SHARED(float, shared);  // [kWarps, G, 2 + D]: largest, sum, values
    gpu::let_next_start();
    gpu::wait_for_previous();
    const int row = static_cast<int>(blockIdx.x) / t.splits, split = static_cast<int>(blockIdx.x) % t.splits;
    const int kv_head = static_cast<int>(blockIdx.y) / t.chunks;
    const int head = kv_head * t.group + static_cast<int>(blockIdx.y) % t.chunks * t.chunk;
    const int heads = min(t.chunk, (kv_head + 1) * t.group - head);  // the last chunk may be smaller
    const DeviceKvRow& place = t.kv.rows[row];
    const int begin = split * t.span, end = min(place.visible, begin + t.span);
    const int lane = static_cast<int>(threadIdx.x) % lanes, slot = static_cast<int>(threadIdx.x) / lanes;
    const int slots = kThreads / lanes, vectors = t.head_dim / E;
    const Entries<T> entries(t, place.blocks, t.kv.offsets ? t.kv.offsets[row] : t.kv.offset, kv_head);

    float q[G][V][E];
#pragma unroll
    for (int g = 0; g < G; ++g)
#pragma unroll
        for (int v = 0; v < V; ++v)
#pragma unroll
            for (int e = 0; e < E; ++e) {
                const int at = lane + v * lanes;
                const bool there = g < heads && at < vectors;
                const std::int64_t query = static_cast<std::int64_t>(row) * t.heads + head + g;
                q[g][v][e] = there ? t.q[query * t.head_dim + at * E + e] * t.scale : 0.0f;
            }

    Softmaxes<G, V, E> state;
    for (int first = begin; first < end; first += slots * B) {  // the same for all threads
        Batch<T, E, V, B> batch;
        batch.load(entries, first + slot, slots, end, lane, lanes);
        float scores[B][G] = {};
#pragma unroll
        for (int b = 0; b < B; ++b) {
            const bool there = first + b * slots + slot < end;
#pragma unroll
            for (int v = 0; v < V; ++v) {
                if (!there || lane + v * lanes >= vectors) continue;
                float key[E];
                batch.keys[b][v].unpack(key);
#pragma unroll
                for (int g = 0; g < G; ++g)
#pragma unroll
                    for (int e = 0; e < E; ++e) scores[b][g] = fmaf(q[g][v][e], key[e], scores[b][g]);
            }
#pragma unroll
            for (int g = 0; g < G; ++g) {
#pragma unroll
                for (int distance = 16; distance > 0; distance /= 2) {
                    if (distance < lanes) scores[b][g] += __shfl_xor_sync(kAllLanes, scores[b][g], distance);
                }
                if (!there) scores[b][g] = -INFINITY;
            }
        }
#pragma unroll
        for (int g = 0; g < G; ++g) {
            float largest = state.largest[g];
#pragma unroll
            for (int b = 0; b < B; ++b) largest = fmaxf(largest, scores[b][g]);
            if (largest > state.largest[g]) state.raise(g, largest);
#pragma unroll
            for (int b = 0; b < B; ++b) {
                scores[b][g] = weight_of(scores[b][g], largest);
                state.sum[g] += scores[b][g];
            }
        }
#pragma unroll
        for (int b = 0; b < B; ++b) {
            if (first + b * slots + slot >= end) continue;
#pragma unroll
            for (int v = 0; v < V; ++v) {
                if (lane + v * lanes >= vectors) continue;
                float value[E];
                batch.values[b][v].unpack(value);
#pragma unroll
                for (int g = 0; g < G; ++g)
#pragma unroll
                    for (int e = 0; e < E; ++e) state.values[g][v][e] = fmaf(scores[b][g], value[e], state.values[g][v][e]);
            }
        }
    }
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
        if (distance >= lanes) state.merge(distance);
    }

    const int warp = static_cast<int>(threadIdx.x) / 32, width = 2 + t.head_dim;
#pragma unroll
    for (int g = 0; g < G; ++g) {
        float* const target = shared + (warp * G + g) * width;
        if (static_cast<int>(threadIdx.x) % 32 == 0) {
            target[0] = state.largest[g];
            target[1] = state.sum[g];
        }
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const int at = lane + v * lanes;
            if (static_cast<int>(threadIdx.x) % 32 >= lanes || at >= vectors) continue;
#pragma unroll
            for (int e = 0; e < E; ++e) target[2 + at * E + e] = state.values[g][v][e];
        }
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < heads * t.head_dim; i += kThreads) {
        const int g = i / t.head_dim, d = i % t.head_dim;
        const float* const parts = shared + g * width;
        float largest = -INFINITY, sum = 0, value = 0;
#pragma unroll
        for (int w = 0; w < kWarps; ++w) largest = fmaxf(largest, parts[w * G * width]);
#pragma unroll
        for (int w = 0; w < kWarps; ++w) {
            const float* const part = parts + w * G * width;
            const float share = shrink(part[0], largest);
            sum = fmaf(part[1], share, sum);
            value = fmaf(part[2 + d], share, value);
        }
        if (d == 0) store_weight(t, row, head + g, split, largest, sum);
        result_of(t, row, head + g, split)[d] = value * final_factor(t, sum);
    }
}

template <class T, int E, int V, int G, int B>
void start(Context& c, const AttentionTask& t) {
    int lanes = 1;  // as many as an entry has vectors, rounded up
    while (lanes < 32 && lanes * E < t.head_dim) lanes *= 2;
    const dim3 grid(static_cast<unsigned>(t.kv.n) * static_cast<unsigned>(t.splits),
                    static_cast<unsigned>(t.kv_heads * t.chunks));
    const std::size_t shared = sizeof(float) * kWarps * G * static_cast<std::size_t>(2 + t.head_dim);
    gpu::launch_early(c.device.early_launches(), few_rows_attention<T, E, V, G, B>, grid, dim3(kThreads), shared, c.stream,
                      t, lanes);
    check(cudaGetLastError(), "attention");
}

template <class T, int E, int V>
void choose_heads(Context& c, AttentionTask& t) {
    constexpr int B = V == 1 ? 4 : V == 2 ? 2 : 1;  // entries in flight: registers are few
    cut_attention(c, t, 8, 1, t.kv.longest <= kUndivided ? kUndivided : kLeastSpan);
    if (t.chunk == 1) return start<T, E, V, 1, B>(c, t);
    if (t.chunk == 2) return start<T, E, V, 2, B>(c, t);
    if (t.chunk == 3) return start<T, E, V, 3, B>(c, t);
    if (t.chunk == 4) return start<T, E, V, 4, B>(c, t);
    start<T, E, V, 8, (B > 2 ? 2 : 1)>(c, t);
}

}  // namespace

void attention_of_few_rows(Context& c, DType type, AttentionTask& t) {
    with_element(type, [&](auto element) {
        using T = typename decltype(element)::type;
        constexpr int E = kPerVector<T>;
        if (t.head_dim % E != 0) return choose_heads<T, 1, 8>(c, t);
        if (t.head_dim <= 32 * E) return choose_heads<T, E, 1>(c, t);
        if constexpr (E == 4) choose_heads<T, E, 2>(c, t);
    });
}

}  // namespace mor::cuda
