// SPDX-License-Identifier: Apache-2.0
// The entry point of the shared library; see backend/cuda_module.hpp.
#include <cstring>
#include <exception>
#include <memory>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/device.hpp"
#include "backend/cuda_module.hpp"

namespace mor::cuda {
namespace {

void say(const char* text, Sentence sentence) {
    std::strncpy(sentence.text, text, sentence.length - 1);
    sentence.text[sentence.length - 1] = '\0';
}

/// Runs f, and says what it threw.
template <class Result, class Function>
Result guarded(Sentence sentence, Result otherwise, Function&& f) {
    try {
        return f();
    } catch (const std::exception& error) {
        say(error.what(), sentence);
    } catch (...) {
        say("CUDA: an unknown error", sentence);
    }
    return otherwise;
}

ModuleDevice as_plain_data(const DeviceInfo& d) {
    ModuleDevice device{};
    std::strncpy(device.name, d.name.c_str(), sizeof(device.name) - 1);
    device.major = d.major;
    device.minor = d.minor;
    device.memory = d.total_memory;
    std::size_t free = 0, total = 0;
    if (cudaSetDevice(d.index) == cudaSuccess && cudaMemGetInfo(&free, &total) == cudaSuccess) device.free_memory = free;
    return device;
}

int devices(ModuleDevice* found, int capacity, Sentence sentence) {
    return guarded(sentence, -1, [&] {
        const auto all = find_devices();
        const int count = std::min(capacity, static_cast<int>(all.size()));
        for (int i = 0; i < count; ++i) found[i] = as_plain_data(all[static_cast<std::size_t>(i)]);
        return count;
    });
}

Backend* create(const DeviceSettings& settings, Sentence sentence) {
    return guarded(sentence, static_cast<Backend*>(nullptr),
                   [&]() -> Backend* { return std::make_unique<CudaBackend>(settings).release(); });
}

void destroy(Backend* backend) { delete backend; }

constexpr Module kModule{kModuleAbi, MOR_CUDA_BUILD, &devices, &create, &destroy};

}  // namespace
}  // namespace mor::cuda

extern "C" __attribute__((visibility("default"))) const mor::cuda::Module* mor_cuda_module() { return &mor::cuda::kModule; }
