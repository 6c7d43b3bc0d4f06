// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/attention.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mor::cpu {
namespace {

constexpr int kChunk = 256;       ///< entries whose softmax is computed at once
constexpr int kTileQueries = 64;  ///< that share the reading of K and V, at most
constexpr int kFewQueries = 20;   ///< up to here each query by itself is faster than queries side by side (bench_attention)
constexpr int kSplitTiles = 8;    ///< with fewer tiles than this, chunks are computed in parallel too

}  // namespace

struct Attention::Call {
    const LayerShape& shape;
    const float* q;
    std::span<const KvRow> kv;
    float* out;
    int group;             ///< query heads per K/V head
    std::ptrdiff_t width;  ///< heads D
    float scale;
    std::ptrdiff_t element;  ///< bytes

    int tile_rows() const { return std::max(1, kTileQueries / group); }

    /// Query i of a tile: rows, and in each the query heads of a K/V head's group.
    const float* query(const Tile& tile, int kv_head, int i) const;
    /// How many of the entries from `begin` to `end` it sees.
    int seen(const Tile& tile, int i, int begin, int end) const;

    template <class Function>
    void for_each_run(const Tile& tile, int kv_head, int begin, int end, Function&& f) const;

    /// K of one entry; V lies kv_heads N D elements behind it. Entries of a block follow each other.
    const std::byte* key(const KvRow& row, int kv_head, int entry) const {
        const std::ptrdiff_t n = shape.block_entries;
        const std::ptrdiff_t slot = kv_head * n + entry % n;
        return row.blocks[entry / n] + row.offset + slot * shape.head_dim * element;
    }
    std::ptrdiff_t key_to_value() const {
        return static_cast<std::ptrdiff_t>(shape.kv_heads) * shape.block_entries * shape.head_dim * element;
    }
};

struct Attention::Tile {
    int begin = 0;
    int end = 0;
    int visible = 0;  ///< the most any of its rows sees
    int rows() const { return end - begin; }
    int chunks() const { return (visible + kChunk - 1) / kChunk; }
};

const float* Attention::Call::query(const Tile& tile, int kv_head, int i) const {
    return q + (tile.begin + i / group) * width + (kv_head * group + i % group) * shape.head_dim;
}

int Attention::Call::seen(const Tile& tile, int i, int begin, int end) const {
    return std::clamp(kv[static_cast<std::size_t>(tile.begin + i / group)].visible - begin, 0, end - begin);
}

struct Attention::Partial {
    float largest = 0;
    float sum = 0;            ///< of exp(score - largest); 0: nothing seen yet
    float* values = nullptr;  ///< [D] sum of exp(score - largest) v; those of neighbouring queries follow each other
};

namespace {

/// Cuts rows into runs of at most `most` that read the same block table.
template <class Tile>
std::vector<Tile> cut(std::span<const KvRow> kv, int most) {
    std::vector<Tile> tiles;
    for (int i = 0; i < static_cast<int>(kv.size()); ++i) {
        const KvRow& row = kv[static_cast<std::size_t>(i)];
        const KvRow* first = tiles.empty() ? nullptr : &kv[static_cast<std::size_t>(tiles.back().begin)];
        const bool joins =
            first && first->blocks == row.blocks && first->offset == row.offset && i - tiles.back().begin < most;
        if (!joins) tiles.push_back({i, i, 0});
        tiles.back().end = i + 1;
        tiles.back().visible = std::max(tiles.back().visible, row.visible);
    }
    return tiles;
}

/// Adds a later chunk to the chunks before it.
template <class Partial>
void merge(Partial& into, const Partial& next, int d) {
    if (next.sum == 0) return;
    if (into.sum == 0) {
        into.largest = next.largest;
        into.sum = next.sum;
        std::memcpy(into.values, next.values, static_cast<std::size_t>(d) * sizeof(float));
        return;
    }
    const float largest = std::max(into.largest, next.largest);
    const float before = std::exp(into.largest - largest), after = std::exp(next.largest - largest);
    for (int j = 0; j < d; ++j) into.values[j] = into.values[j] * before + next.values[j] * after;
    into.sum = into.sum * before + next.sum * after;
    into.largest = largest;
}

}  // namespace

Attention::Attention(const Kernels& kernels, ThreadPool& pool)
    : kernels_(kernels), pool_(pool), workers_(static_cast<std::size_t>(pool.threads())) {}

/// One chunk of one K/V head for all rows of a tile and all query heads of the group. partials is [rows, group].
void Attention::chunk(const Call& call, const Tile& tile, int kv_head, int number, int thread, Partial* partials) {
    Worker& worker = workers_[static_cast<std::size_t>(thread)];
    const int begin = number * kChunk, end = std::min(begin + kChunk, tile.visible);
    if (tile.rows() * call.group <= kFewQueries) return few(call, tile, kv_head, begin, end, worker, partials);
    many(call, tile, kv_head, begin, end, worker, partials);
}

/// Calls f(keys, at, count) for the runs of entries of [begin, end) that lie in one block; `at` counts from begin.
template <class Function>
void Attention::Call::for_each_run(const Tile& tile, int kv_head, int begin, int end, Function&& f) const {
    for (int e = begin; e < end;) {
        const int count = std::min(end - e, shape.block_entries - e % shape.block_entries);
        f(key(kv[static_cast<std::size_t>(tile.begin)], kv_head, e), e - begin, count);
        e += count;
    }
}

/// Bound by reading K and V: every query is multiplied with entries as they are stored.
void Attention::few(const Call& call, const Tile& tile, int kv_head, int begin, int end, Worker& worker,
                    Partial* partials) {
    const LayerShape& s = call.shape;
    const int d = s.head_dim, queries = tile.rows() * call.group;
    float* const scores = worker.scores.get(static_cast<std::size_t>(queries) * kChunk);
    float* const q = worker.queries.get(static_cast<std::size_t>(queries) * d);
    const auto seen = [&](int i) { return call.seen(tile, i, begin, end); };
    for (int i = 0; i < queries; ++i) {
        std::memcpy(q + static_cast<std::ptrdiff_t>(i) * d, call.query(tile, kv_head, i),
                    static_cast<std::size_t>(d) * sizeof(float));
    }
    call.for_each_run(tile, kv_head, begin, end, [&](const std::byte* keys, int at, int count) {
        kernels_.product(q, d, queries, keys, s.kv_type, d, count, scores + at, kChunk, false);
    });
    for (int i = 0; i < queries; ++i) {
        partials[i].sum = 0;
        if (seen(i) == 0) continue;
        partials[i].sum =
            kernels_.softmax(scores + static_cast<std::ptrdiff_t>(i) * kChunk, seen(i), call.scale, &partials[i].largest);
        std::fill_n(partials[i].values, d, 0.0f);
    }
    call.for_each_run(tile, kv_head, begin, end, [&](const std::byte* keys, int at, int count) {
        // Neighbouring queries that see equally much of the block share its reading.
        const std::byte* const values = keys + call.key_to_value();
        for (int i = 0; i < queries;) {
            const int visible = std::clamp(seen(i) - at, 0, count);
            int same = i + 1;
            while (same < queries && std::clamp(seen(same) - at, 0, count) == visible) ++same;
            kernels_.weighted_sum(scores + static_cast<std::ptrdiff_t>(i) * kChunk + at, kChunk, same - i, values,
                                  s.kv_type, d, visible, partials[i].values, d);
            i = same;
        }
    });
}

/// Bound by arithmetic: K and V are widened once, and queries lie side by side.
void Attention::many(const Call& call, const Tile& tile, int kv_head, int begin, int end, Worker& worker,
                     Partial* partials) {
    const LayerShape& s = call.shape;
    const std::ptrdiff_t d = s.head_dim, strip = kernels_.strip;
    const int queries = tile.rows() * call.group;
    float* const keys = worker.keys.get(static_cast<std::size_t>(2 * kChunk * d));
    float* const values = keys + kChunk * d;
    call.for_each_run(tile, kv_head, begin, end, [&](const std::byte* stored, int at, int count) {
        kernels_.widen(stored, s.kv_type, count * d, keys + at * d);
        kernels_.widen(stored + call.key_to_value(), s.kv_type, count * d, values + at * d);
    });
    float* const q = worker.queries.get(static_cast<std::size_t>((2 * d + 2) * strip));
    float* const sums = q + d * strip;
    float* const largest = sums + d * strip;
    float* const sum = largest + strip;
    std::vector<int>& visible = worker.visible;
    visible.resize(static_cast<std::size_t>(strip));
    for (int first = 0; first < queries; first += static_cast<int>(strip)) {
        const int count = std::min(static_cast<int>(strip), queries - first);
        std::fill_n(q, d * strip, 0.0f);
        std::fill(visible.begin(), visible.end(), 0);
        for (int i = 0; i < count; ++i) {
            const float* const source = call.query(tile, kv_head, first + i);
            for (std::ptrdiff_t j = 0; j < d; ++j) q[j * strip + i] = source[j];
            visible[static_cast<std::size_t>(i)] = call.seen(tile, first + i, begin, end);
        }
        kernels_.attend({q, keys, values, visible.data(), count, end - begin, s.head_dim, call.scale,
                         worker.scores.get(static_cast<std::size_t>(kChunk * strip)), largest, sum, sums});
        for (int i = 0; i < count; ++i) {
            Partial& partial = partials[first + i];
            partial.largest = largest[i];
            partial.sum = visible[static_cast<std::size_t>(i)] == 0 ? 0.0f : sum[i];
            for (std::ptrdiff_t j = 0; j < d; ++j) partial.values[j] = sums[j * strip + i];
        }
    }
}

/// All chunks of one K/V head of a tile, one after the other.
void Attention::whole(const Call& call, const Tile& tile, int kv_head, int thread) {
    const int d = call.shape.head_dim, queries = tile.rows() * call.group;
    float* const sums = workers_[static_cast<std::size_t>(thread)].sums.get(static_cast<std::size_t>(queries) * d);
    std::vector<Partial> total(static_cast<std::size_t>(queries)), next(static_cast<std::size_t>(queries));
    for (int i = 0; i < queries; ++i) {
        total[static_cast<std::size_t>(i)].values =
            call.out + (tile.begin + i / call.group) * call.width + (kv_head * call.group + i % call.group) * d;
        next[static_cast<std::size_t>(i)].values = sums + static_cast<std::ptrdiff_t>(i) * d;
    }
    for (int c = 0; c < tile.chunks(); ++c) {
        chunk(call, tile, kv_head, c, thread, next.data());
        for (std::size_t i = 0; i < total.size(); ++i) merge(total[i], next[i], d);
    }
    for (const Partial& p : total) {
        for (int j = 0; j < d; ++j) p.values[j] = p.sum == 0 ? 0.0f : p.values[j] / p.sum;
    }
}

/// Every chunk is a tile of its own: for few rows over many entries.
void Attention::split(const Call& call, std::span<const Tile> tiles, int most_chunks) {
    const LayerShape& s = call.shape;
    const int d = s.head_dim, group = call.group, queries = call.tile_rows() * group;
    const int heads = s.kv_heads, parts = static_cast<int>(tiles.size()) * heads * most_chunks;
    float* const sums = split_sums_.get(static_cast<std::size_t>(parts) * queries * d);
    std::vector<Partial> partials(static_cast<std::size_t>(parts) * queries);
    for (std::size_t i = 0; i < partials.size(); ++i) partials[i].values = sums + static_cast<std::ptrdiff_t>(i) * d;
    pool_.parallel_for(parts, [&](int part, int thread) {
        const int number = part % most_chunks, head = part / most_chunks % heads;
        const Tile& tile = tiles[static_cast<std::size_t>(part / most_chunks / heads)];
        if (number < tile.chunks())
            chunk(call, tile, head, number, thread, &partials[static_cast<std::size_t>(part) * queries]);
    });
    for (int part = 0; part < parts; part += most_chunks) {
        const Tile& tile = tiles[static_cast<std::size_t>(part / most_chunks / heads)];
        const int head = part / most_chunks % heads;
        for (int i = 0; i < tile.rows() * group; ++i) {
            Partial& total = partials[static_cast<std::size_t>(part) * queries + i];
            for (int c = 1; c < tile.chunks(); ++c)
                merge(total, partials[static_cast<std::size_t>(part + c) * queries + i], d);
            float* target = call.out + (tile.begin + i / group) * call.width + (head * group + i % group) * d;
            for (int j = 0; j < d; ++j) target[j] = total.sum == 0 ? 0.0f : total.values[j] / total.sum;
        }
    }
}

void Attention::run(const LayerShape& shape, const float* q, std::span<const KvRow> kv, float* out) {
    const Call call{shape,
                    q,
                    kv,
                    out,
                    shape.heads / shape.kv_heads,
                    static_cast<std::ptrdiff_t>(shape.heads) * shape.head_dim,
                    1.0f / std::sqrt(static_cast<float>(shape.head_dim)),
                    bytes_of(shape.kv_type)};
    const std::vector<Tile> tiles = cut<Tile>(kv, call.tile_rows());
    int most_chunks = 0;
    for (const Tile& tile : tiles) most_chunks = std::max(most_chunks, tile.chunks());
    const int parts = static_cast<int>(tiles.size()) * shape.kv_heads;
    if (most_chunks > 1 && parts < kSplitTiles) return split(call, tiles, most_chunks);
    pool_.parallel_for(parts, [&](int part, int thread) {
        whole(call, tiles[static_cast<std::size_t>(part / shape.kv_heads)], part % shape.kv_heads, thread);
    });
}

}  // namespace mor::cpu
