// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/few_rows.cuh"
#include "backend/cuda/many_rows.hpp"
#include "backend/cuda/operations.hpp"
#include "backend/cuda/pairs.cuh"

namespace mor::cuda {
namespace {

/// Units are pairs (j, j + D/2) of a head: of q, then k, then v, as the weights are stacked. q and k are rotated; q goes to
/// its own buffer, k and v to the row's entry. `first_unit` leaves q out where no row wants it.
struct Heads {
    static constexpr int kWeightRows = 2;
    AttentionShape shape;
    DeviceKv kv;
    float* q;
    int q_rows, kv_begin;
    int first_unit;

    __device__ int weight_row(int unit, int i) const {
        const int half = shape.head_dim / 2, pair = first_unit + unit;
        return pair / half * shape.head_dim + pair % half + i * half;
    }

    __device__ void store(int unit, int row, float first, float second) const {
        const int half = shape.head_dim / 2, j = (first_unit + unit) % half, head = (first_unit + unit) / half;
        if (head < shape.heads ? row >= q_rows : row < kv_begin) return;
        const DeviceKvRow& place = kv.rows[row];
        if (head < shape.heads + shape.kv_heads) {
            const std::int64_t angle = static_cast<std::int64_t>(place.position) * half + j;
            const float cos = shape.rope_cos[angle], sin = shape.rope_sin[angle];
            const float rotated = first * cos - second * sin;
            second = second * cos + first * sin;
            first = rotated;
        }
        if (head < shape.heads) {
            float* const target = q + (static_cast<std::int64_t>(row) * shape.heads + head) * shape.head_dim + j;
            target[0] = first;
            target[half] = second;
        } else {
            store_entry(place, row, head - shape.heads, j, first, second);
        }
    }

private:
    /// `head` counts k heads, then v heads, which is how a block holds them.
    __device__ void store_entry(const DeviceKvRow& place, int row, int head, int j, float first, float second) const {
        if (place.write < 0) return;
        const int block = place.write / shape.block_entries, entry = place.write % shape.block_entries;
        std::byte* const layer = place.blocks[block] + (kv.offsets ? kv.offsets[row] : kv.offset);
        const std::int64_t at = (static_cast<std::int64_t>(head) * shape.block_entries + entry) * shape.head_dim + j;
        store_as(shape.kv_type, layer, at, first);
        store_as(shape.kv_type, layer, at + shape.head_dim / 2, second);
    }
};

/// The columns of the product that rows want: q for rows [0, q_rows), k and v for rows [kv_begin, n). One product where
/// both are all rows. y is [n, qkv.out].
void project(Context& c, const DeviceMatrix& qkv, const Activations& a, int q_width, int q_rows, int kv_begin, int n,
             float* y) {
    if (q_rows == n && kv_begin == 0) return many_rows_product(c, qkv, 0, qkv.out, a, 0, n, y, qkv.out, false);
    if (q_rows > 0) many_rows_product(c, qkv, 0, q_width, a, 0, q_rows, y, qkv.out, false);
    if (kv_begin == n) return;
    float* const target = y + static_cast<std::int64_t>(kv_begin) * qkv.out + q_width;
    many_rows_product(c, qkv, q_width, qkv.out, a, kv_begin, n - kv_begin, target, qkv.out, false);
}

}  // namespace

void attn_in(Context& c, const AttentionShape& s, const DeviceMatrix& qkv, const float* norm, float eps, const float* x,
             const DeviceKv& kv, int q_rows, int kv_begin, float* q) {
    const int n = kv.n, q_width = s.heads * s.head_dim;
    const int first = q_rows > 0 ? 0 : q_width / 2, end = kv_begin < n ? qkv.out / 2 : q_width / 2;
    if (n == 0 || first == end) return;
    const Heads output{s, kv, q, q_rows, kv_begin, first};
    if (is_few_rows(c, qkv, n))
        return few_rows_product(c, qkv.dtype, {qkv.data, qkv.in, x, nullptr, n, norm, eps, end - first}, output);
    const Activations a = activations(c, qkv, norm, eps, x, nullptr, n);
    float* const y = c.workspace.of<float>(slot::projected, static_cast<std::size_t>(n) * qkv.out);
    project(c, qkv, a, q_width, q_rows, kv_begin, n, y);
    store_pairs(c, y, qkv.out, end - first, n, output);
}

}  // namespace mor::cuda
