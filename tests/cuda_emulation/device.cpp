// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/device.hpp"

#include <cstdio>
#include <cstring>

#include "cuda_emulation/memory.hpp"
#include "cuda_emulation/multiprocessor.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

namespace cuda_emulation {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

/// CUDA has one set of devices in a process, and so has the emulation.
struct Device {
    std::recursive_mutex mutex;
    cudaError_t broken = cudaSuccess;
    Statistics statistics;
    Random random;

    Device() { start(); }
    /// The process ends: what is left was leaked.
    ~Device() {
        report_leaks();
        report_stream_leaks();
        exit_with_faults();
    }
    void start() {
        broken = cudaSuccess;
        statistics = {};
        random = Random(settings().seed);
        multiprocessor().seed(settings().seed + 1, settings().shuffle);
    }
};

Device& device() {
    static Device one;
    return one;
}

}  // namespace

Call::Call() : lock_(device().mutex), error_(device().broken) {}

cudaError_t device_error() { return device().broken; }

cudaError_t failed(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

void break_device(cudaError_t error) { device().broken = error; }

Random& device_random() { return device().random; }
Statistics& changing_statistics() { return device().statistics; }
const Statistics& statistics() { return device().statistics; }

}  // namespace cuda_emulation

using cuda_emulation::Call;
using cuda_emulation::failed;
using cuda_emulation::settings;

cudaError_t cudaGetLastError() {
    const Call call;
    if (call.error()) return call.error();
    return std::exchange(cuda_emulation::last_error, cudaSuccess);
}

cudaError_t cudaPeekAtLastError() {
    const Call call;
    return call.error() ? call.error() : cuda_emulation::last_error;
}

cudaError_t cudaGetDeviceCount(int* count) {
    if (settings().driver < 13000) return failed(cudaErrorInsufficientDriver);
    if (settings().devices == 0) return failed(cudaErrorNoDevice);
    *count = settings().devices;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
    if (settings().devices == 0) return failed(cudaErrorNoDevice);
    *device = 0;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    if (settings().devices == 0) return failed(cudaErrorNoDevice);
    return device == 0 ? cudaSuccess : failed(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    if (device < 0 || device >= settings().devices) return failed(cudaErrorInvalidDevice);
    cudaDeviceProp found{};
    std::snprintf(found.name, sizeof(found.name), "CUDA emulation (CPU)");
    found.totalGlobalMem = settings().memory;
    found.sharedMemPerBlock = settings().static_shared;
    found.sharedMemPerBlockOptin = settings().optin_shared;
    found.sharedMemPerMultiprocessor = settings().optin_shared + 1024;
    found.regsPerBlock = found.regsPerMultiprocessor = 65536;
    found.warpSize = 32;
    found.maxThreadsPerBlock = 1024;
    found.maxThreadsPerMultiProcessor = 2048;
    found.maxThreadsDim[0] = found.maxThreadsDim[1] = 1024;
    found.maxThreadsDim[2] = 64;
    found.maxGridSize[0] = 2147483647;
    found.maxGridSize[1] = found.maxGridSize[2] = 65535;
    found.major = 9;
    found.multiProcessorCount = 4;
    found.memoryBusWidth = 64;
    found.l2CacheSize = 1 << 20;
    found.canMapHostMemory = found.unifiedAddressing = found.concurrentKernels = found.memoryPoolsSupported = 1;
    *properties = found;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    cudaDeviceProp properties;
    if (const cudaError_t error = cudaGetDeviceProperties(&properties, device)) return error;
    switch (attribute) {
        case cudaDevAttrMaxThreadsPerBlock:
            *value = properties.maxThreadsPerBlock;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlock:
            *value = int(properties.sharedMemPerBlock);
            break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = int(properties.sharedMemPerBlockOptin);
            break;
        case cudaDevAttrWarpSize:
            *value = properties.warpSize;
            break;
        case cudaDevAttrMultiProcessorCount:
            *value = properties.multiProcessorCount;
            break;
        case cudaDevAttrGlobalMemoryBusWidth:
            *value = properties.memoryBusWidth;
            break;
        case cudaDevAttrL2CacheSize:
            *value = properties.l2CacheSize;
            break;
        case cudaDevAttrComputeCapabilityMajor:
            *value = properties.major;
            break;
        case cudaDevAttrComputeCapabilityMinor:
            *value = properties.minor;
            break;
        case cudaDevAttrMemoryPoolsSupported:
            *value = properties.memoryPoolsSupported;
            break;
        case cudaDevAttrClockRate:  // kHz
        case cudaDevAttrMemoryClockRate:
            *value = 1'000'000;
            break;
    }
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = settings().driver;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
    const Call call;
    cuda_emulation::count([](auto& all) { ++all.waits; });
    cuda_emulation::finish_streams();
    return failed(cuda_emulation::device().broken);
}

cudaError_t cudaDeviceReset() {
    const Call call;
    cuda_emulation::finish_streams();
    cuda_emulation::forget_streams();
    cuda_emulation::forget_memory();
    cuda_emulation::last_error = cudaSuccess;
    cuda_emulation::device().start();
    return cudaSuccess;
}
