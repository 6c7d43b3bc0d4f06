// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "backend/cpu/kernels.hpp"
#include "backend/cpu/memory.hpp"
#include "backend/cpu/thread_pool.hpp"

namespace mor::cpu {

/// Attention of many rows over paged K/V.
///
/// A row's visible entries are cut into chunks of fixed length. Each chunk gives its largest score, its sum of
/// exponentials and its weighted sum of values; chunks are merged in ascending order. A row's result therefore
/// does not depend on the threads, nor on the rows computed beside it, but for one thing: few queries and many are
/// summed in different orders.
class Attention {
public:
    Attention(const Kernels&, ThreadPool&);

    /// out[i] = softmax(q k^T / sqrt(D)) v over entries [0, kv[i].visible); q and out are [kv.size(), heads D]
    void run(const LayerShape&, const float* q, std::span<const KvRow> kv, float* out);

private:
    struct Call;     ///< arguments of run() and what follows from them
    struct Tile;     ///< rows that read the same entries
    struct Partial;  ///< the outcome of one chunk for one query

    struct Worker {
        Scratch<float> scores;
        Scratch<float> queries;
        Scratch<float> sums;
        Scratch<float> keys;       ///< and values of one chunk
        std::vector<int> visible;  ///< entries of one chunk, by query
    };

    void chunk(const Call&, const Tile&, int kv_head, int number, int thread, Partial*);
    void few(const Call&, const Tile&, int kv_head, int begin, int end, Worker&, Partial*);
    void many(const Call&, const Tile&, int kv_head, int begin, int end, Worker&, Partial*);
    void whole(const Call&, const Tile&, int kv_head, int thread);
    void split(const Call&, std::span<const Tile>, int most_chunks);

    const Kernels& kernels_;
    ThreadPool& pool_;
    std::vector<Worker> workers_;
    Scratch<float> split_sums_;
};

}  // namespace mor::cpu
