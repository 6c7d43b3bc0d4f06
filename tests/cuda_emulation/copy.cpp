// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/memory.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

using namespace cuda_emulation;

namespace {

/// What is wrong with one side of a copy, or empty.
std::string wrong_side(const void* memory, std::size_t bytes, bool device, cudaMemcpyKind kind) {
    const MemoryKind found = kind_of(memory);
    if (kind == cudaMemcpyDefault && found == MemoryKind::Unknown) return {};
    if (kind == cudaMemcpyDefault) return wrong_device_range(memory, bytes);
    if (device && found != MemoryKind::Device) {
        const std::string what = wrong_device_range(memory, bytes);
        return what.empty() ? "host memory where the kind says device" : what;
    }
    if (!device && found == MemoryKind::Device) return "device memory where the kind says host";
    return found == MemoryKind::Unknown ? std::string() : wrong_device_range(memory, bytes);
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, Stream& stream, Where where) {
    if (bytes == 0) return cudaSuccess;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const std::string target = wrong_side(to, bytes, to_device, kind), source = wrong_side(from, bytes, from_device, kind);
    if (!target.empty() || !source.empty()) {
        fault("copy of %zu bytes at %s: its %s is %s", bytes, place(where).c_str(), target.empty() ? "source" : "target",
              (target.empty() ? source : target).c_str());
        return failed(cudaErrorInvalidValue);
    }
    count([&](Statistics& all) {
        ++all.copies, all.copied_bytes += bytes;
        if (kind_of(to) != MemoryKind::Device) all.bytes_to_host += bytes;
    });
    // With pageable memory the driver may wait, and may not: the copy is late all the same, and counted as a wait.
    if (kind_of(to) == MemoryKind::Unknown || kind_of(from) == MemoryKind::Unknown) {
        count([](Statistics& all) { ++all.implicit_waits; });
    }
    enqueue(stream, [to, from, bytes] {
        if (!device_error()) std::memcpy(to, from, bytes);
    });
    return cudaSuccess;
}

cudaError_t fill(void* memory, int value, std::size_t bytes, Stream& stream, Where where) {
    const std::string wrong = wrong_side(memory, bytes, true, cudaMemcpyHostToDevice);
    if (bytes && !wrong.empty()) {
        fault("memset of %zu bytes at %s: its target is %s", bytes, place(where).c_str(), wrong.c_str());
        return failed(cudaErrorInvalidValue);
    }
    enqueue(stream, [memory, value, bytes] {
        if (!device_error()) std::memset(memory, value, bytes);
    });
    return cudaSuccess;
}

}  // namespace

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t handle,
                            Where where) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    return call.error() ? failed(call.error()) : copy(to, from, bytes, kind, *stream, where);
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, Where where) {
    const Call call;
    if (call.error()) return failed(call.error());
    count([](Statistics& all) { ++all.waits, ++all.implicit_waits; });
    const cudaError_t error = copy(to, from, bytes, kind, *checked(nullptr), where);
    finish(*checked(nullptr));
    return error ? error : failed(device_error());
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t handle, Where where) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    return call.error() ? failed(call.error()) : fill(memory, value, bytes, *stream, where);
}

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes, Where where) {
    const Call call;
    return call.error() ? failed(call.error()) : fill(memory, value, bytes, *checked(nullptr), where);
}
