// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/launch.hpp"

#include <unordered_map>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/memory.hpp"
#include "cuda_emulation/multiprocessor.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

namespace cuda_emulation {
namespace {

/// Bytes of dynamic shared memory that kernels have asked for with cudaFuncSetAttribute.
std::unordered_map<const void*, std::size_t>& opted_in() {
    static auto* sizes = new std::unordered_map<const void*, std::size_t>;
    return *sizes;
}

/// What is wrong with the launch's sizes; empty when nothing is.
std::string wrong(const Launch& launch) {
    const dim3 g = launch.grid, b = launch.block;
    const auto size = [](dim3 d) {
        return std::to_string(d.x) + " x " + std::to_string(d.y) + " x " + std::to_string(d.z);
    };
    if (b.x == 0 || b.y == 0 || b.z == 0 || b.z > 64 || std::uint64_t(b.x) * b.y * b.z > 1024) {
        return "a block of " + size(b) + " threads, 1 to 1024 in all and 64 in z are possible";
    }
    if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > 2147483647u || g.y > 65535 || g.z > 65535) {
        return "a grid of " + size(g) + " blocks, 1 to 2147483647 x 65535 x 65535 are possible";
    }
    const auto found = opted_in().find(launch.kernel);
    const std::size_t limit = found == opted_in().end() ? settings().static_shared : found->second;
    if (launch.shared > limit) {
        return std::to_string(launch.shared) + " bytes of dynamic shared memory, the kernel may use " +
               std::to_string(limit);
    }
    return {};
}

}  // namespace

void enqueue(Launch launch, cudaStream_t handle) {
    const Call call;
    Stream* stream = checked(handle);
    if (call.error() || !stream) {
        failed(call.error() ? call.error() : cudaErrorInvalidResourceHandle);
        return;
    }
    if (const std::string what = wrong(launch); !what.empty()) {
        fault("launch at %s: %s", place(launch.where).c_str(), what.c_str());
        failed(cudaErrorInvalidConfiguration);
        return;
    }
    for (const ArgumentWord& word : launch.words) {
        const std::string what = wrong_argument(word.value, word.is_pointer);
        if (!what.empty())
            fault("launch at %s: argument %d is %s", place(launch.where).c_str(), word.argument, what.c_str());
    }
    enqueue(*stream, [launch = std::move(launch)] {
        if (device_error()) return;
        if (!multiprocessor().run(launch)) break_device(cudaErrorLaunchFailure);
    });
}

cudaError_t set_function_attribute(const void* kernel, cudaFuncAttribute attribute, int value) {
    const Call call;
    if (call.error()) return failed(call.error());
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (value < 0 || std::size_t(value) > settings().optin_shared) return failed(cudaErrorInvalidValue);
        opted_in()[kernel] = std::size_t(value);
    }
    return cudaSuccess;
}

}  // namespace cuda_emulation
