// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <system_error>
#include <thread>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/cpu/isa.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

constexpr int kMostThreads = 1024;

const cpu::Kernels& choose(const std::string& name) {
    std::string names;
    for (const cpu::Kernels* kernels : cpu::available_kernels()) {
        if (name == "auto" || name == kernels->name) return *kernels;
        names += std::string(", ") + kernels->name;
    }
    throw Error("cpu_isa: expected one of the kernel sets this machine can run (auto" + names + "), got \"" + name + "\"");
}

int thread_count(int asked) {
    if (asked < 0 || asked > kMostThreads) {
        throw Error("threads: expected 0 to " + std::to_string(kMostThreads) + ", got " + std::to_string(asked));
    }
    return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

std::vector<std::string> cpu_isas() {
    std::vector<std::string> names;
    for (const cpu::Kernels* kernels : cpu::available_kernels()) names.emplace_back(kernels->name);
    return names;
}

std::shared_ptr<Backend> make_cpu_backend(const DeviceSettings& settings) {
    const cpu::Kernels& kernels = choose(settings.cpu_isa);
    const int threads = thread_count(settings.threads);
    if (settings.compute == DType::F16) throw Error("compute: expected f32 or bf16, got f16");
    try {
        return std::make_shared<cpu::CpuBackend>(kernels, threads, settings.compute);
    } catch (const std::system_error& e) {
        throw Error("threads: expected " + std::to_string(threads) + " threads to start, got: " + e.what());
    }
}

}  // namespace mor
