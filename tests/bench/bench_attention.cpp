// SPDX-License-Identifier: Apache-2.0
// Attention on one thread, rows that follow each other behind a long text, as when a prompt is read: the backend against
// the two products alone, q k^T and p v, by oneDNN's sgemm in the same run (no softmax, no mask, K and V in float32 and in
// one piece).
#include <dnnl.h>
#include <omp.h>

#include <cstdio>
#include <vector>

#include "backend/backend.hpp"
#include "fastest.hpp"

namespace {

constexpr int kHeads = 9, kKvHeads = 3, kHeadDim = 64, kBlockEntries = 16;  // SmolLM2-135M

struct Cache {
    mor::LayerShape shape;
    std::vector<std::vector<std::byte>> storage;
    std::vector<std::byte*> blocks;

    Cache(mor::DType type, int entries) {
        shape.heads = kHeads;
        shape.kv_heads = kKvHeads;
        shape.head_dim = kHeadDim;
        shape.hidden = kHeads * kHeadDim;
        shape.kv_type = type;
        shape.block_entries = kBlockEntries;
        const std::size_t bytes = std::size_t{2} * kKvHeads * kBlockEntries * kHeadDim * mor::bytes_of(type);
        // The bytes 0x3d are 0.046 in float32 and bfloat16 and 1.3 in float16.
        for (int b = 0; b < entries; b += kBlockEntries) storage.emplace_back(bytes, std::byte{0x3d});
        for (auto& block : storage) blocks.push_back(block.data());
    }
};

void bench_attention(mor::Backend& backend, mor::DType type, int entries) {
    const Cache cache(type, entries);
    const std::vector<float> k(static_cast<std::size_t>(entries) * kHeadDim, 0.05f), v = k;
    for (const int rows : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128}) {
        std::vector<mor::KvRow> kv;
        for (int i = 0; i < rows; ++i) kv.push_back({cache.blocks.data(), 0, i, entries - rows + i + 1, -1});
        const std::vector<float> q(static_cast<std::size_t>(rows) * kHeads * kHeadDim, 0.5f);
        std::vector<float> out(q.size()), scores(static_cast<std::size_t>(rows) * kHeads / kKvHeads * entries);
        const double ours = bench::fastest([&](int) { backend.attention(cache.shape, q.data(), kv, out.data()); });
        const double products = bench::fastest([&](int) {
            const int queries = rows * kHeads / kKvHeads;
            for (int head = 0; head < kKvHeads; ++head) {
                dnnl_sgemm('N', 'T', queries, entries, kHeadDim, 0.125f, q.data(), kHeadDim, k.data(), kHeadDim, 0.0f,
                           scores.data(), entries);
                dnnl_sgemm('N', 'N', queries, kHeadDim, entries, 1.0f, scores.data(), entries, v.data(), kHeadDim, 0.0f,
                           out.data(), kHeadDim);
            }
        });
        const double flop = 4.0 * rows * kHeads * kHeadDim * entries;
        std::printf("%-4s %7d %5d | %7.1f | %7.1f | %5.2f\n", type == mor::DType::F32 ? "f32" : "bf16", entries, rows,
                    flop / ours * 1e-9, flop / products * 1e-9, products / ours);
    }
}

}  // namespace

int main() {
    omp_set_num_threads(1);
    mor::DeviceSettings settings;
    settings.threads = 1;
    const auto backend = mor::make_cpu_backend(settings);
    std::printf("%s\nK, V entries  rows | GFLOP/s | 2 sgemm | speed-up\n", backend->description().c_str());
    for (const mor::DType type : {mor::DType::F32, mor::DType::BF16}) {
        for (const int entries : {256, 2048}) bench_attention(*backend, type, entries);
    }
}
