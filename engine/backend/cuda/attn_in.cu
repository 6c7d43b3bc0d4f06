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

    struct Place {
        std::byte* target;  ///< of the first of the pair; null: nobody wants it
        float cos, sin;
        DType type;
    };

    __device__ int weight_row(int unit, int i) const {
        const int half = shape.head_dim / 2, pair = first_unit + unit;
        return pair / half * shape.head_dim + pair % half + i * half;
    }

    __device__ Place place(int unit, int row) const {
        const int half = shape.head_dim / 2, j = (first_unit + unit) % half, head = (first_unit + unit) / half;
        const bool is_q = head < shape.heads;
        if (is_q ? row >= q_rows : row < kv_begin) return {nullptr, 1, 0, DType::F32};
        const DeviceKvRow& at = kv.rows[row];
        Place place{nullptr, 1, 0, is_q ? DType::F32 : shape.kv_type};
        if (head < shape.heads + shape.kv_heads) {
            const std::int64_t angle = static_cast<std::int64_t>(at.position) * half + j;
            place.cos = shape.rope_cos[angle];
            place.sin = shape.rope_sin[angle];
        }
        if (is_q)
            place.target = reinterpret_cast<std::byte*>(
                q + (static_cast<std::int64_t>(row) * shape.heads + head) * shape.head_dim + j);
        else if (at.write >= 0)
            place.target = entry(at, row, head - shape.heads, j);
        return place;
    }

    __device__ void store(const Place& place, float first, float second) const {
        if (!place.target) return;
        store_as(place.type, place.target, 0, first * place.cos - second * place.sin);
        store_as(place.type, place.target, shape.head_dim / 2, second * place.cos + first * place.sin);
    }

private:
    /// `head` counts k heads, then v heads, which is how a block holds them.
    __device__ std::byte* entry(const DeviceKvRow& at, int row, int head, int j) const {
        const int block = at.write / shape.block_entries, within = at.write % shape.block_entries;
        const std::int64_t element = (static_cast<std::int64_t>(head) * shape.block_entries + within) * shape.head_dim + j;
        std::byte* const layer = at.blocks[block] + (kv.offsets ? kv.offsets[row] : kv.offset);
        return layer + element * (shape.kv_type == DType::F32 ? 4 : 2);
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
