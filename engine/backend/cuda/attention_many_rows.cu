// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backend/cuda/attention.cuh"
#include "backend/cuda/reductions.cuh"

/// Attention of many rows: a block computes all queries that consecutive rows have for one K/V head, Q at a time, and
/// brings K and V into shared memory in tiles of 32 entries that all of them use.
///
/// Threads form a grid of Q / 4 by 512 / Q, and those of a row of it belong to one warp. A thread computes the scores of
/// four queries with every (512 / Q)-th entry of a tile, and then 4 x 8 elements of the result, so scores are reduced and
/// handed over within a warp.
namespace mor::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kTile = 32;        ///< entries
constexpr int kLeastSpan = 256;  ///< entries

/// Sizes for Q queries of up to D elements; Q D = 4096.
template <int Q, int D>
struct Sizes {
    static_assert(Q * D == 4096);
    static constexpr int kColumns = 4 * kThreads / Q;  ///< threads with the same queries
    static constexpr int kScores = kTile / kColumns;   ///< of one query in one thread
    static constexpr int kWidth = D + 4;               ///< of a row in shared memory: neighbours begin in other banks
    static constexpr int kScoreWidth = kTile + 4;
    static constexpr int kFloats = (Q + kTile) * kWidth + Q * kScoreWidth;
};

/// A tile on its way from global to shared memory: vectors thread, thread + 128, ... Where they are few they wait in
/// registers for the tile before them to be used; many would not fit there and are fetched when they are wanted.
template <class T, int E, int D>
struct Transfer {
    static constexpr int kRow = D / E;  ///< vectors of an entry
    static constexpr int kCount = kTile * kRow / kThreads;
    static constexpr bool kAhead = E > 1 && D <= 128;
    Packed<T, E> vectors[kAhead ? kCount : 1];

    /// Where the thread's vector j belongs: row of the tile, entry, first element.
    struct Place {
        int row, entry, d;
        __device__ __forceinline__ Place(int j, int first) {
            const int at = static_cast<int>(threadIdx.x) + j * kThreads;
            row = at / kRow;
            entry = first + row;
            d = at % kRow * E;
        }
        __device__ __forceinline__ bool exists(const Entries<T>& entries, int end) const {
            return entry < end && d < entries.head_dim;
        }
    };

    /// Keys, or with to_values what stands so many elements behind them.
    __device__ __forceinline__ void load(const Entries<T>& entries, int first, int end, std::int64_t to_values) {
        if constexpr (kAhead) {
#pragma unroll
            for (int j = 0; j < kCount; ++j) {
                const Place place(j, first);
                if (place.exists(entries, end)) vectors[j].load(entries.key(place.entry) + to_values + place.d);
            }
        }
    }

    /// The same range as in load(); what is not there becomes zero.
    __device__ __forceinline__ void store(const Entries<T>& entries, int first, int end, std::int64_t to_values,
                                          float* tile) {
#pragma unroll(kAhead ? kCount : E == 1 ? 1 : 4)
        for (int j = 0; j < kCount; ++j) {
            const Place place(j, first);
            float values[E] = {};
            if (place.exists(entries, end)) {
                if constexpr (kAhead) {
                    vectors[j].unpack(values);
                } else {
                    vectors[0].load(entries.key(place.entry) + to_values + place.d);
                    vectors[0].unpack(values);
                }
            }
            constexpr int S = E == 1 ? 1 : 4;
            float* const target = tile + place.row * (D + 4) + place.d;
#pragma unroll
            for (int s = 0; s < E; s += S) {
                float part[S];
#pragma unroll
                for (int e = 0; e < S; ++e) part[e] = values[s + e];
                store_floats<S>(target + s, part);
            }
        }
    }
};

__device__ __forceinline__ float4 read4(const float* p) { return *reinterpret_cast<const float4*>(p); }

/// A block's rows and which of them read the same entries.
template <int Q>
struct Rows {
    std::byte* const* tables[Q];
    std::int64_t offsets[Q];
    int visible[Q];
};

/// The sums of a thread: four queries, eight elements each.
struct Sums {
    float largest[4], sum[4], values[4][8];  // sum is this thread's part
};

/// scores of the thread's queries with its entries of the tile; queries see `limit` entries of the tile.
template <int Q, int D>
__device__ __forceinline__ void score(const float* queries, const float* tile, const int (&limit)[4], int line, int column,
                                      float (&scores)[4][Sizes<Q, D>::kScores]) {
    using Size = Sizes<Q, D>;
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < Size::kScores; ++j) scores[i][j] = 0;
#pragma unroll 4
    for (int d = 0; d < D; d += 4) {
        float4 a[4], b[Size::kScores];
#pragma unroll
        for (int i = 0; i < 4; ++i) a[i] = read4(queries + (line * 4 + i) * Size::kWidth + d);
#pragma unroll
        for (int j = 0; j < Size::kScores; ++j) b[j] = read4(tile + (column + j * Size::kColumns) * Size::kWidth + d);
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
            for (int j = 0; j < Size::kScores; ++j) {
                scores[i][j] = fmaf(a[i].x, b[j].x, scores[i][j]);
                scores[i][j] = fmaf(a[i].y, b[j].y, scores[i][j]);
                scores[i][j] = fmaf(a[i].z, b[j].z, scores[i][j]);
                scores[i][j] = fmaf(a[i].w, b[j].w, scores[i][j]);
            }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < Size::kScores; ++j)
            if (column + j * Size::kColumns >= limit[i]) scores[i][j] = -INFINITY;
}

/// Scores become weights, written where the other threads of these queries find them.
template <int Q, int D>
__device__ __forceinline__ void weigh(float (&scores)[4][Sizes<Q, D>::kScores], int line, int column, float* weights,
                                      Sums& state) {
    using Size = Sizes<Q, D>;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float now = state.largest[i];
#pragma unroll
        for (int j = 0; j < Size::kScores; ++j) now = fmaxf(now, scores[i][j]);
#pragma unroll
        for (int distance = Size::kColumns / 2; distance > 0; distance /= 2)
            now = fmaxf(now, __shfl_xor_sync(kAllLanes, now, distance));
        const float factor = shrink(state.largest[i], now);
        state.largest[i] = now;
        state.sum[i] *= factor;
#pragma unroll
        for (int e = 0; e < 8; ++e) state.values[i][e] *= factor;
#pragma unroll
        for (int j = 0; j < Size::kScores; ++j) {
            const float weight = weight_of(scores[i][j], now);
            state.sum[i] += weight;
            weights[(line * 4 + i) * Size::kScoreWidth + column + j * Size::kColumns] = weight;
        }
    }
}

/// Adds the tile's values. A thread's eight elements are two float4s, kColumns float4s apart.
template <int Q, int D>
__device__ __forceinline__ void add_values(const float* weights, const float* tile, int line, int column, Sums& state) {
    using Size = Sizes<Q, D>;
#pragma unroll 2
    for (int entry = 0; entry < kTile; entry += 4) {
        float w[4][4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const float4 four = read4(weights + (line * 4 + i) * Size::kScoreWidth + entry);
            w[i][0] = four.x;
            w[i][1] = four.y;
            w[i][2] = four.z;
            w[i][3] = four.w;
        }
#pragma unroll
        for (int k = 0; k < 4; ++k)
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const float4 v = read4(tile + (entry + k) * Size::kWidth + (column + h * Size::kColumns) * 4);
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float* const to = state.values[i] + 4 * h;
                    to[0] = fmaf(w[i][k], v.x, to[0]);
                    to[1] = fmaf(w[i][k], v.y, to[1]);
                    to[2] = fmaf(w[i][k], v.z, to[2]);
                    to[3] = fmaf(w[i][k], v.w, to[3]);
                }
            }
    }
}

/// Block (rows and split, K/V head and chunk of its query heads); `rows_per_block` rows of t.chunk queries each.
template <class T, int E, int Q, int D>
__global__ void __launch_bounds__(kThreads, 2) many_rows_attention(const AttentionTask t, int rows_per_block) {
    using Size = Sizes<Q, D>;
    GPU_DYN_SHARED(float, queries);  // [Q, kWidth], then a tile [kTile, kWidth], then weights [Q, kScoreWidth]
    GPU_SHARED(Rows<Q>, shared_rows, [1]);
    float* const tile = queries + Q * Size::kWidth;
    float* const weights = tile + kTile * Size::kWidth;
    Rows<Q>& rows = shared_rows[0];
    const int thread = static_cast<int>(threadIdx.x), line = thread / Size::kColumns, column = thread % Size::kColumns;
    const int split = static_cast<int>(blockIdx.x) % t.splits;
    const int row0 = static_cast<int>(blockIdx.x) / t.splits * rows_per_block, n = min(rows_per_block, t.kv.n - row0);
    const int kv_head = static_cast<int>(blockIdx.y) / t.chunks;
    const int head = kv_head * t.group + static_cast<int>(blockIdx.y) % t.chunks * t.chunk;
    const int heads = min(t.chunk, (kv_head + 1) * t.group - head), begin = split * t.span;

    if (thread < n) {
        const DeviceKvRow& place = t.kv.rows[row0 + thread];
        rows.tables[thread] = place.blocks;
        rows.offsets[thread] = t.kv.offsets ? t.kv.offsets[row0 + thread] : t.kv.offset;
        rows.visible[thread] = min(place.visible, begin + t.span);
    }
    for (int i = thread; i < Q * D; i += kThreads) {
        const int query = i / D, d = i % D, row = query / t.chunk, g = query % t.chunk;
        const std::int64_t from = (static_cast<std::int64_t>(row0 + row) * t.heads + head + g) * t.head_dim + d;
        queries[query * Size::kWidth + d] = row < n && g < heads && d < t.head_dim ? t.q[from] * t.scale : 0.0f;
    }
    __syncthreads();

    Sums state;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        state.largest[i] = -INFINITY;
        state.sum[i] = 0;
#pragma unroll
        for (int e = 0; e < 8; ++e) state.values[i][e] = 0;
    }
    // Rows that read the same entries are computed together; what others of the block have so far stays as it is.
    for (int run = 0, run_end; run < n; run = run_end) {
        int end = rows.visible[run];
        for (run_end = run + 1;
             run_end < n && rows.tables[run_end] == rows.tables[run] && rows.offsets[run_end] == rows.offsets[run];
             ++run_end)
            end = max(end, rows.visible[run_end]);
        int seen[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int row = (line * 4 + i) / t.chunk;
            seen[i] = row >= run && row < run_end ? rows.visible[row] : 0;
        }
        const Entries<T> entries(t, rows.tables[run], rows.offsets[run], kv_head);
        Transfer<T, E, D> transfer;
        transfer.load(entries, begin, end, 0);
        for (int first = begin; first < end; first += kTile) {
            transfer.store(entries, first, end, 0, tile);
            transfer.load(entries, first, end, entries.to_values);
            __syncthreads();
            int limit[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) limit[i] = seen[i] - first;
            float scores[4][Size::kScores];
            score<Q, D>(queries, tile, limit, line, column, scores);
            weigh<Q, D>(scores, line, column, weights, state);
            __syncthreads();  // keys and weights
            transfer.store(entries, first, end, entries.to_values, tile);
            transfer.load(entries, first + kTile, end, 0);
            __syncthreads();
            add_values<Q, D>(weights, tile, line, column, state);
            __syncthreads();
        }
    }

#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int distance = Size::kColumns / 2; distance > 0; distance /= 2)
            state.sum[i] += __shfl_xor_sync(kAllLanes, state.sum[i], distance);
        const int query = line * 4 + i, row = query / t.chunk, g = query % t.chunk;
        if (row >= n || g >= heads) continue;  // the same for all threads that shuffle together
        if (column == 0) store_weight(t, row0 + row, head + g, split, state.largest[i], state.sum[i]);
        float* const target = result_of(t, row0 + row, head + g, split);
        const float factor = final_factor(t, state.sum[i]);
#pragma unroll
        for (int e = 0; e < 8; ++e) {
            const int d = (column + e / 4 * Size::kColumns) * 4 + e % 4;
            if (d < t.head_dim) target[d] = state.values[i][e] * factor;
        }
    }
}

template <class T, int E, int Q, int D>
void start(Context& c, AttentionTask& t) {
    const int rows_per_block = Q / std::min(t.group, Q);
    cut_attention(c, t, Q, rows_per_block, kLeastSpan);
    const auto kernel = many_rows_attention<T, E, Q, D>;
    const std::size_t shared = sizeof(float) * Sizes<Q, D>::kFloats;
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
          "ask for shared memory");
    const int blocks = (t.kv.n + rows_per_block - 1) / rows_per_block;
    const dim3 grid(static_cast<unsigned>(blocks) * static_cast<unsigned>(t.splits),
                    static_cast<unsigned>(t.kv_heads * t.chunks));
    gpu::launch(kernel, grid, dim3(kThreads), shared, c.stream, t, rows_per_block);
    check(cudaGetLastError(), "attention");
}

template <class T, int E>
void choose_size(Context& c, AttentionTask& t) {
    if (t.head_dim <= 64) return start<T, E, 64, 64>(c, t);
    if (t.head_dim <= 128) return start<T, E, 32, 128>(c, t);
    start<T, E, 16, 256>(c, t);
}

}  // namespace

void attention_of_many_rows(Context& c, DType type, AttentionTask& t) {
    with_element(type, [&](auto element) {
        using T = typename decltype(element)::type;
        constexpr int E = kPerVector<T>;
        if (t.head_dim % E == 0) return choose_size<T, E>(c, t);
        choose_size<T, 1>(c, t);
    });
}

}  // namespace mor::cuda
