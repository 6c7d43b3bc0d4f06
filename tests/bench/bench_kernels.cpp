// SPDX-License-Identifier: Apache-2.0
// Matrix products on one thread: our kernels and the backend's choice against oneDNN's sgemm in the same run.
// Weights are cycled through copies larger than a core's own caches, as the layers of a model are.
#include <dnnl.h>
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cpu/isa.hpp"
#include "fastest.hpp"
#include "tensor/half.hpp"

namespace {

constexpr std::size_t kWeightBytes = std::size_t{24} << 20;

struct Weights {
    std::vector<float> f32;
    std::vector<std::uint16_t> bf16;
    std::shared_ptr<const mor::Matrix> matrix;
    const void* data(mor::DType type) const {
        return type == mor::DType::F32 ? static_cast<const void*>(f32.data()) : bf16.data();
    }
};

std::vector<Weights> make_weights(mor::Backend& backend, int in, int out, mor::DType type) {
    const std::size_t count = static_cast<std::size_t>(in) * out;
    std::vector<Weights> copies(std::max<std::size_t>(1, kWeightBytes / (count * mor::bytes_of(type))));
    for (Weights& w : copies) {
        for (std::size_t i = 0; i < count; ++i)
            w.f32.push_back(static_cast<float>((i * 2654435761u >> 7) % 2048) / 1024.0f - 1.0f);
        for (const float f : w.f32) w.bf16.push_back(mor::f32_to_bf16(f));
        const mor::TensorView view{type, {out, in}, static_cast<const std::byte*>(w.data(type))};
        w.matrix = backend.matrix({&view, 1});
    }
    return copies;
}

void bench_product(mor::Backend& backend, int in, int out, mor::DType type) {
    const mor::cpu::Kernels& kernels = *mor::cpu::available_kernels().front();
    const std::vector<Weights> copies = make_weights(backend, in, out, type);
    for (const int n : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 256}) {
        const std::vector<float> x(static_cast<std::size_t>(n) * in, 0.5f);
        std::vector<float> y(static_cast<std::size_t>(n) * out);
        const auto copy = [&](int round) -> const Weights& {
            return copies[static_cast<std::size_t>(round) % copies.size()];
        };
        const double own = bench::fastest(
            [&](int r) { kernels.product(x.data(), in, n, copy(r).data(type), type, in, out, y.data(), out, true); });
        const double chosen = bench::fastest([&](int r) { backend.linear_add(*copy(r).matrix, x.data(), n, y.data()); });
        const double library = bench::fastest([&](int r) {
            dnnl_sgemm('N', 'T', n, out, in, 1.0f, x.data(), in, copy(r).f32.data(), in, 1.0f, y.data(), out);
        });
        const double flop = 2.0 * n * in * out, bytes = static_cast<double>(in) * out * mor::bytes_of(type);
        std::printf("%4d x %5d %-4s %4d | %6.1f %6.1f | %6.1f %6.1f | %6.1f | %5.2f %5.2f\n", in, out,
                    type == mor::DType::F32 ? "f32" : "bf16", n, bytes / own * 1e-9, flop / own * 1e-9,
                    bytes / chosen * 1e-9, flop / chosen * 1e-9, flop / library * 1e-9, library / own, library / chosen);
    }
}

}  // namespace

int main(int argc, char** argv) {
    omp_set_num_threads(1);
    mor::DeviceSettings settings;
    settings.threads = 1;
    if (argc > 1) settings.compute = std::string(argv[1]) == "bf16" ? mor::DType::BF16 : mor::DType::F32;
    const auto backend = mor::make_cpu_backend(settings);
    std::printf(
        "%s\n  in x   out type rows |   own kernel   |    backend     | sgemm  | speed-up over sgemm\n"
        "                      |  GB/s  GFLOP/s |  GB/s  GFLOP/s | GFLOP/s|   own  backend\n",
        backend->description().c_str());
    for (const auto& [in, out] : {std::pair{256, 1408}, {576, 1536}, {576, 49152}}) {
        for (const mor::DType type : {mor::DType::F32, mor::DType::BF16}) bench_product(*backend, in, out, type);
    }
}
