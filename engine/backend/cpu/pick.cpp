// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/pick.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mor::cpu {
namespace {

constexpr int kPiece = 8192;  ///< logits per tile
using Candidate = std::pair<int, float>;

/// NaN is worse than everything, so the order stays total.
bool better(const Candidate& a, const Candidate& b) {
    const float x = std::isnan(a.second) ? -std::numeric_limits<float>::infinity() : a.second;
    const float y = std::isnan(b.second) ? -std::numeric_limits<float>::infinity() : b.second;
    return x > y || (x == y && a.first < b.first);
}

struct Piece {
    float largest = 0;
    double sum = 0;  ///< of exp(logit - largest)
    std::vector<Candidate> best;
};

/// The k best of logits[0, n), in any order; tokens count from `first`.
std::vector<Candidate> best_of(const float* logits, int n, int first, int k) {
    std::vector<Candidate> heap;  // the worst of those kept is on top
    heap.reserve(static_cast<std::size_t>(std::min(k, n)));
    // Of a full heap; later tokens must be larger, so NaN is not kept.
    float worst = -std::numeric_limits<float>::infinity();
    for (int i = 0; i < n && k > 0; ++i) {
        const bool full = static_cast<int>(heap.size()) == k;
        if (full && !(logits[i] > worst)) continue;
        if (full) {
            std::pop_heap(heap.begin(), heap.end(), better);
            heap.pop_back();
        }
        heap.emplace_back(first + i, logits[i]);
        std::push_heap(heap.begin(), heap.end(), better);
        if (static_cast<int>(heap.size()) == k && !std::isnan(heap.front().second)) worst = heap.front().second;
    }
    return heap;
}

Piece examine(const Kernels& kernels, const float* logits, int n, int first, int k) {
    Piece piece;
    piece.largest = kernels.largest(logits, n);
    if (std::isfinite(piece.largest)) piece.sum = kernels.sum_exp(logits, n, piece.largest);
    piece.best = best_of(logits, n, first, k);
    return piece;
}

Pick merge(std::span<const Piece> pieces, int k) {
    float largest = -std::numeric_limits<float>::infinity();
    std::vector<Candidate> best;
    for (const Piece& p : pieces) {
        largest = std::max(largest, p.largest);
        best.insert(best.end(), p.best.begin(), p.best.end());
    }
    double sum = 0;
    for (const Piece& p : pieces) sum += p.sum * std::exp(static_cast<double>(p.largest) - largest);
    Pick pick;
    pick.log_sum_exp = std::isfinite(largest) ? static_cast<float>(largest + std::log(sum)) : largest;
    const auto end = best.begin() + std::min<std::ptrdiff_t>(k, std::ssize(best));
    std::partial_sort(best.begin(), end, best.end(), better);
    pick.top.assign(best.begin(), end);
    return pick;
}

}  // namespace

std::vector<Pick> pick(const Kernels& kernels, ThreadPool& pool, const float* logits, int n, int vocab, int k) {
    const int count = (vocab + kPiece - 1) / kPiece;
    k = std::clamp(k, 0, vocab);
    std::vector<Piece> pieces(static_cast<std::size_t>(n) * count);
    pool.parallel_for(n * count, [&](int tile, int) {
        const int first = tile % count * kPiece;
        const float* row = logits + static_cast<std::ptrdiff_t>(tile / count) * vocab;
        pieces[static_cast<std::size_t>(tile)] = examine(kernels, row + first, std::min(kPiece, vocab - first), first, k);
    });
    std::vector<Pick> picks;
    for (int i = 0; i < n; ++i)
        picks.push_back(
            merge({pieces.data() + static_cast<std::ptrdiff_t>(i) * count, static_cast<std::size_t>(count)}, k));
    return picks;
}

}  // namespace mor::cpu
