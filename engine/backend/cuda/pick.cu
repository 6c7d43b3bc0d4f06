// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "backend/cuda/load.cuh"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/reductions.cuh"

/// Log-sum-exp and the k best of rows of logits.
///
/// The best are found by key: 64 bits, larger is better, no two of a row equal, so the result depends on nothing but the
/// logits. Each block finds the k best of a piece of a row by bitonic sorting in shared memory; blocks of further rounds
/// find the k best of the lists of several others until one is left. For very large k the whole row is sorted instead.
namespace mor::cuda {
namespace {

using Key = std::uint64_t;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kPiece = 2048;             ///< keys that a block holds in shared memory
constexpr int kMostListed = kPiece / 2;  ///< larger k: the row is sorted

/// A piece's part of the log-sum-exp.
struct Sums {
    float largest;  ///< NaN where a logit is NaN
    float sum;      ///< of exp(logit - largest); meaningless where largest is not finite
};

/// Orders by logit, then by lower token. NaN counts as minus infinity, and the two zeros are equal, as they are for the
/// CPU. No logit has key 0, which fills up what is not there.
__device__ __forceinline__ Key key_of(float logit, int token) {
    const float value = logit != logit ? -INFINITY : logit + 0.0f;  // -0 + 0 = +0
    const unsigned bits = __float_as_uint(value);
    const unsigned ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return static_cast<Key>(ordered) << 32 | ~static_cast<unsigned>(token);
}
__device__ __forceinline__ int token_of(Key key) { return static_cast<int>(~static_cast<unsigned>(key)); }

/// Puts the larger key first, or last.
__device__ __forceinline__ void order(Key& a, Key& b, bool larger_first) {
    if ((a < b) == larger_first) {
        const Key t = a;
        a = b;
        b = t;
    }
}

/// One step of a bitonic network over keys[0, size), with barriers before and after: keys a `stride` apart are put in
/// order, descending in runs of `run` keys with an even number, ascending in the others.
__device__ __forceinline__ void compare(Key* keys, int size, int run, int stride) {
    for (int t = static_cast<int>(threadIdx.x); t < size / 2; t += kThreads) {
        const int i = 2 * t - (t & (stride - 1));
        order(keys[i], keys[i + stride], (i & run) == 0);
    }
    __syncthreads();
}

/// Sorts the k best of keys[0, size) to the front; size and k are powers of two, k <= size. First runs of k are sorted in
/// turns down and up. Then, of each two neighbours, the better at each place are kept: these are the k best of both, and
/// bitonic, so a merge sorts them. Begins behind a barrier and ends with one.
__device__ void keep_best(Key* keys, int size, int k) {
    for (int run = 2; run <= k; run *= 2) {
        for (int stride = run / 2; stride > 0; stride /= 2) compare(keys, size, run, stride);
    }
    for (; size > k; size /= 2) {
        // The better of each pair of runs, packed to the front. Reads and writes are told apart by a barrier.
        Key kept[kPiece / 2 / kThreads];
#pragma unroll
        for (int j = 0; j < kPiece / 2 / kThreads; ++j) {
            const int t = static_cast<int>(threadIdx.x) + j * kThreads;
            if (t >= size / 2) continue;
            const int i = 2 * t - (t & (k - 1));
            kept[j] = max(keys[i], keys[i + k]);
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < kPiece / 2 / kThreads; ++j) {
            const int t = static_cast<int>(threadIdx.x) + j * kThreads;
            if (t < size / 2) keys[t] = kept[j];
        }
        __syncthreads();
        for (int stride = k / 2; stride > 0; stride /= 2) compare(keys, size / 2, k, stride);
    }
}

__device__ __forceinline__ float larger_or_nan(float a, float b) { return a != a || a > b ? a : b; }

/// Largest value (NaN wins) and sum of exponentials of the piece, for thread 0.
__device__ Sums sums_of(const float (&values)[kPiece / kThreads]) {
    GPU_SHARED(float, partial, [2][kWarps]);
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    float largest = -INFINITY;
    for (const float v : values) largest = larger_or_nan(v, largest);
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        largest = larger_or_nan(__shfl_xor_sync(kAllLanes, largest, distance), largest);
    if (lane == 0) partial[0][warp] = largest;
    __syncthreads();
    for (int w = 0; w < kWarps; ++w) largest = larger_or_nan(partial[0][w], largest);
    float sum = 0;
    for (const float v : values) sum += expf(v - largest);
    sum = warp_sum(sum);
    if (lane == 0) partial[1][warp] = sum;
    __syncthreads();
    sum = 0;
    for (int w = 0; w < kWarps; ++w) sum += partial[1][w];
    return {largest, sum};
}

/// Block (y, p): piece p of row y. Writes its sums and, where k > 0, its k best keys, best first. `width` is k rounded up
/// to a power of two.
__global__ void __launch_bounds__(kThreads)
    pieces_kernel(const float* logits, int vocab, int k, int width, Sums* sums, Key* best) {
    GPU_SHARED(Key, keys, [kPiece]);
    const auto row = static_cast<std::int64_t>(blockIdx.x);
    const float* const from = logits + row * vocab;
    const int first = static_cast<int>(blockIdx.y) * kPiece;
    float values[kPiece / kThreads];
#pragma unroll
    for (int j = 0; j < kPiece / kThreads; ++j) {
        const int at = static_cast<int>(threadIdx.x) + j * kThreads, token = first + at;
        values[j] = token < vocab ? from[token] : -INFINITY;
        if (k > 0) keys[at] = token < vocab ? key_of(values[j], token) : 0;
    }
    const std::int64_t list = row * gridDim.y + blockIdx.y;
    const Sums piece = sums_of(values);  // its barriers stand between writing and reading keys, too
    if (threadIdx.x == 0) sums[list] = piece;
    if (k > 0) keep_best(keys, kPiece, width);
    for (int j = static_cast<int>(threadIdx.x); j < k; j += kThreads) best[list * k + j] = keys[j];
}

/// Block (y, g): the k best of lists [g per_block, (g + 1) per_block) of row y.
__global__ void __launch_bounds__(kThreads)
    merge_kernel(const Key* lists, int count, int per_block, int k, int width, Key* best) {
    GPU_SHARED(Key, keys, [kPiece]);
    const auto row = static_cast<std::int64_t>(blockIdx.x);
    const int first = static_cast<int>(blockIdx.y) * per_block, here = min(per_block, count - first) * k;
    const Key* const from = lists + (row * count + first) * k;
    int size = width;  // the smallest power of two that holds them
    while (size < here) size *= 2;
    for (int j = static_cast<int>(threadIdx.x); j < size; j += kThreads) keys[j] = j < here ? from[j] : 0;
    __syncthreads();
    keep_best(keys, size, width);
    Key* const to = best + (row * gridDim.y + blockIdx.y) * k;
    for (int j = static_cast<int>(threadIdx.x); j < k; j += kThreads) to[j] = keys[j];
}

/// One block per row: keys become picks, and the pieces' sums a log-sum-exp. Row y's keys begin at y * stride. `wanted`
/// may be null.
__global__ void __launch_bounds__(kThreads)
    finish_kernel(const float* logits, int vocab, int k, const Key* best, std::int64_t stride, const Sums* sums, int pieces,
                  const int* wanted, const DevicePicks to) {
    const auto row = static_cast<std::int64_t>(blockIdx.x);
    for (int j = static_cast<int>(threadIdx.x); j < k; j += kThreads) {
        const int token = token_of(best[row * stride + j]);
        to.best[row * k + j] = {token, logits[row * vocab + token]};
    }
    if (threadIdx.x >= 32) return;
    const Sums* const of_row = sums + row * pieces;
    float largest = -INFINITY, sum = 0;
    for (int p = static_cast<int>(threadIdx.x); p < pieces; p += 32) largest = larger_or_nan(of_row[p].largest, largest);
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        largest = larger_or_nan(__shfl_xor_sync(kAllLanes, largest, distance), largest);
    for (int p = static_cast<int>(threadIdx.x); p < pieces; p += 32) {
        const Sums piece = of_row[p];
        if (piece.largest > -INFINITY) sum += piece.sum * expf(piece.largest - largest);
    }
    sum = warp_sum(sum);
    if (threadIdx.x != 0) return;
    to.log_sum_exp[row] = fabsf(largest) < INFINITY ? largest + logf(sum) : largest;
    if (wanted) to.wanted[row] = wanted[row] < 0 ? NAN : logits[row * vocab + wanted[row]];
}

// ------------------------------------------------------------------------------------------------ very large k

__global__ void __launch_bounds__(kThreads) keys_kernel(const float* logits, int vocab, int size, Key* keys) {
    const int token = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
    if (token < size) keys[token] = token < vocab ? key_of(logits[token], token) : 0;
}

__global__ void __launch_bounds__(kThreads) step_kernel(Key* keys, int size, int run, int stride) {
    const int t = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
    if (t >= size / 2) return;
    const int i = 2 * t - (t & (stride - 1));
    order(keys[i], keys[i + stride], (i & run) == 0);
}

dim3 blocks_for(int threads) { return dim3(static_cast<unsigned>((threads + kThreads - 1) / kThreads)); }

/// Sorts a row of keys in device memory, one launch per step: slow, for k that no record asks for.
void sort_row(Context& c, const float* logits, int vocab, int size, Key* keys) {
    gpu::launch(keys_kernel, blocks_for(size), dim3(kThreads), 0, c.stream, logits, vocab, size, keys);
    for (int run = 2; run <= size; run *= 2) {
        for (int stride = run / 2; stride > 0; stride /= 2)
            gpu::launch(step_kernel, blocks_for(size / 2), dim3(kThreads), 0, c.stream, keys, size, run, stride);
    }
}

int power_of_two(int n) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(n))); }

}  // namespace

void pick(Context& c, const float* logits, int n, int vocab, int k, const int* wanted, const DevicePicks& results) {
    if (n == 0) return;
    const bool lists = k <= kMostListed;
    const int pieces = (vocab + kPiece - 1) / kPiece, width = power_of_two(k), size = power_of_two(vocab);
    const int listed = lists ? k : 0, per_block = kPiece / width;
    // Two buffers of lists that are read and written in turns, or the sorted keys; the sums in front.
    const std::size_t lists_size = lists ? static_cast<std::size_t>(n) * pieces * k : 0;
    const std::size_t count = lists ? 2 * lists_size : static_cast<std::size_t>(n) * size;
    const std::size_t sums_size = static_cast<std::size_t>(n) * pieces * sizeof(Sums);  // whole keys: Sums has 8 bytes
    auto* const memory = static_cast<std::byte*>(c.workspace.bytes(slot::picks, sums_size + count * sizeof(Key)));
    auto* const sums = reinterpret_cast<Sums*>(memory);
    auto* from = reinterpret_cast<Key*>(memory + sums_size);
    Key* to = from + lists_size;

    const auto rows = static_cast<unsigned>(n);  // in x, which may be large; y is bounded by vocabularies of 134 million
    gpu::launch(pieces_kernel, dim3(rows, static_cast<unsigned>(pieces)), dim3(kThreads), 0, c.stream, logits, vocab,
                listed, width, sums, from);
    int left = pieces;
    while (lists && left > 1) {
        const int groups = (left + per_block - 1) / per_block;
        gpu::launch(merge_kernel, dim3(rows, static_cast<unsigned>(groups)), dim3(kThreads), 0, c.stream, from, left,
                    per_block, k, width, to);
        std::swap(from, to);
        left = groups;
    }
    for (int row = 0; !lists && row < n; ++row)
        sort_row(c, logits + static_cast<std::int64_t>(row) * vocab, vocab, size,
                 from + static_cast<std::int64_t>(row) * size);
    gpu::launch(finish_kernel, dim3(static_cast<unsigned>(n)), dim3(kThreads), 0, c.stream, logits, vocab, k, from,
                static_cast<std::int64_t>(lists ? k : size), sums, pieces, wanted, results);
    check(cudaGetLastError(), "pick");
}

}  // namespace mor::cuda
