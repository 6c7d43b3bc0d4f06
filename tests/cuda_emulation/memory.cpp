// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

namespace cuda_emulation {

struct MemoryPool {};

namespace {

// Behind every allocation; AddressSanitizer has red zones of its own, which begin at the very last byte.
constexpr std::size_t kTail = kAddressSanitizer ? 0 : 256;
constexpr std::size_t kAlignment = 256;
constexpr int kUntouched = 0xff;
constexpr std::size_t kMostGraves = 4096;

struct Allocation {
    std::size_t bytes = 0;
    MemoryKind kind = MemoryKind::Unknown;
    Where where, freed;
    bool freeing = false;  ///< cudaFreeAsync was called: work enqueued from now on must not use it
};
using Allocations = std::map<std::uintptr_t, Allocation>;

struct Memory {
    Allocations live;
    Allocations graves;    ///< freed, until something else is allocated there
    std::size_t used = 0;  ///< of the device, bytes
    int works = 0;         ///< DeviceWorks alive
};

Memory& memory() {
    static auto* all = new Memory;
    return *all;
}

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

Allocations::iterator find(Allocations& all, std::uintptr_t at) {
    auto next = all.upper_bound(at);
    if (next == all.begin()) return all.end();
    --next;
    return at < next->first + std::max<std::size_t>(next->second.bytes, 1) ? next : all.end();
}

const char* name(MemoryKind kind) { return kind == MemoryKind::Pinned ? "pinned host memory" : "device memory"; }

std::string describe(const Allocation& a) {
    std::string text =
        std::string(name(a.kind)) + " of " + std::to_string(a.bytes) + " bytes allocated at " + place(a.where);
    if (a.freeing) text += ", freed at " + place(a.freed);
    return text;
}

cudaError_t allocate(void** result, std::size_t bytes, MemoryKind kind, Where where) {
    *result = nullptr;
    if (bytes == 0) return cudaSuccess;
    Memory& all = memory();
    if (kind == MemoryKind::Device && bytes > settings().memory - all.used) return failed(cudaErrorMemoryAllocation);
    void* found = nullptr;
    if (posix_memalign(&found, kAlignment, bytes + kTail) != 0) return failed(cudaErrorMemoryAllocation);
    // NaN as floats, -1 as indices: nobody gets zeros for free.
    std::memset(found, kUntouched, bytes + kTail);
    const std::uintptr_t begin = address(found);
    for (auto grave = all.graves.begin(); grave != all.graves.end();) {
        const bool overlaps = grave->first < begin + bytes + kTail && begin < grave->first + grave->second.bytes + kTail;
        grave = overlaps ? all.graves.erase(grave) : std::next(grave);
    }
    all.live[begin] = {bytes, kind, where, {}, false};
    if (kind == MemoryKind::Device) {
        all.used += bytes;
        if (all.works == 0) poison(found, bytes);
    }
    *result = found;
    return cudaSuccess;
}

/// The tail of an allocation still is as it was.
void check_tail(std::uintptr_t begin, const Allocation& a) {
    const auto* tail = reinterpret_cast<const unsigned char*>(begin) + a.bytes;
    for (std::size_t i = 0; i < kTail; ++i) {
        if (tail[i] == kUntouched) continue;
        fault("%s: write %zu bytes behind its end", describe(a).c_str(), i);
        return;
    }
}

void release_memory(std::uintptr_t begin) {
    Memory& all = memory();
    const auto found = all.live.find(begin);
    if (found == all.live.end()) return;
    check_tail(begin, found->second);
    unpoison(reinterpret_cast<void*>(begin), found->second.bytes);
    if (all.graves.size() >= kMostGraves) all.graves.clear();
    all.graves[begin] = found->second;
    all.live.erase(found);
    std::free(reinterpret_cast<void*>(begin));
}

/// The allocation that a call frees, or null after saying what is wrong.
Allocation* start_free(void* pointer, MemoryKind kind, const char* call, Where where) {
    Memory& all = memory();
    const auto found = all.live.find(address(pointer));
    if (found == all.live.end() || found->second.kind != kind || found->second.freeing) {
        const std::string what = found == all.live.end() ? "no allocation" : describe(found->second);
        fault("%s at %s: %p is %s", call, place(where).c_str(), pointer, what.c_str());
        return nullptr;
    }
    found->second.freeing = true;
    found->second.freed = where;
    if (kind == MemoryKind::Device) all.used -= found->second.bytes;
    return &found->second;
}

}  // namespace

DeviceWorks::DeviceWorks() {
    Memory& all = memory();
    if (!kAddressSanitizer || all.works++ > 0) return;
    for (const auto& [begin, a] : all.live) unpoison(reinterpret_cast<void*>(begin), a.bytes);
}

DeviceWorks::~DeviceWorks() {
    Memory& all = memory();
    if (!kAddressSanitizer || --all.works > 0) return;
    for (const auto& [begin, a] : all.live) {
        if (a.kind == MemoryKind::Device) poison(reinterpret_cast<void*>(begin), a.bytes);
    }
}

std::string wrong_device_range(const void* pointer, std::size_t bytes) {
    if (bytes == 0) return {};
    Memory& all = memory();
    const std::uintptr_t at = address(pointer);
    const auto found = find(all.live, at);
    if (found == all.live.end()) {
        const auto grave = find(all.graves, at);
        return grave == all.graves.end() ? "memory that the device can't reach" : describe(grave->second);
    }
    const Allocation& a = found->second;
    if (a.freeing) return describe(a);
    const std::size_t first = at - found->first;
    if (first + bytes <= a.bytes) return {};
    return describe(a) + ", bytes " + std::to_string(first) + " to " + std::to_string(first + bytes) + " of it";
}

std::string wrong_argument(std::uintptr_t word, bool is_pointer) {
    if (!word) return {};
    Memory& all = memory();
    if (const auto found = find(all.live, word); found != all.live.end()) {
        return found->second.freeing ? describe(found->second) : std::string();
    }
    if (const auto grave = find(all.graves, word); grave != all.graves.end()) return describe(grave->second);
    // One past the end is a fair pointer as long as nobody follows it.
    const auto before = find(all.live, word - 1);
    return is_pointer && before == all.live.end() ? "a pointer to memory that the device can't reach" : std::string();
}

MemoryKind kind_of(const void* pointer) {
    Memory& all = memory();
    const auto found = find(all.live, address(pointer));
    return found == all.live.end() ? MemoryKind::Unknown : found->second.kind;
}

void report_leaks() {
    for (const auto& [begin, a] : memory().live) {
        check_tail(begin, a);
        if (!a.freeing) fault("leak: %s", describe(a).c_str());
    }
}

void forget_memory() {
    Memory& all = memory();
    for (const auto& [begin, a] : all.live) {
        check_tail(begin, a);
        unpoison(reinterpret_cast<void*>(begin), a.bytes);
        std::free(reinterpret_cast<void*>(begin));
    }
    all = {};
}

cudaError_t allocate_device(void** result, std::size_t bytes, cudaStream_t handle, bool in_stream_order, Where where) {
    const Call call;
    if (call.error()) return failed(call.error());
    if (!in_stream_order) count([](Statistics& all) { ++all.waits, ++all.implicit_waits; });
    return checked(handle) ? allocate(result, bytes, MemoryKind::Device, where) : failed(cudaErrorInvalidResourceHandle);
}

cudaError_t allocate_pinned(void** result, std::size_t bytes, Where where) {
    const Call call;
    if (call.error()) return failed(call.error());
    count([](Statistics& all) { ++all.waits, ++all.implicit_waits; });
    return allocate(result, bytes, MemoryKind::Pinned, where);
}

}  // namespace cuda_emulation

using namespace cuda_emulation;

cudaError_t cudaFree(void* pointer, Where where) {
    const Call call;
    if (!pointer) return failed(call.error());
    count([](Statistics& all) { ++all.waits, ++all.implicit_waits; });
    finish_streams();
    if (!start_free(pointer, MemoryKind::Device, "cudaFree", where)) return failed(cudaErrorInvalidValue);
    release_memory(address(pointer));
    return failed(device_error());
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t handle, Where where) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (!pointer) return failed(call.error());
    if (!start_free(pointer, MemoryKind::Device, "cudaFreeAsync", where)) return failed(cudaErrorInvalidValue);
    enqueue(*stream, [begin = address(pointer)] {
        const Unseen unseen;
        release_memory(begin);
    });
    return failed(call.error());
}

cudaError_t cudaFreeHost(void* pointer, Where where) {
    const Call call;
    if (!pointer) return failed(call.error());
    count([](Statistics& all) { ++all.waits, ++all.implicit_waits; });
    finish_streams();
    if (!start_free(pointer, MemoryKind::Pinned, "cudaFreeHost", where)) return failed(cudaErrorInvalidValue);
    release_memory(address(pointer));
    return failed(device_error());
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
    const Call call;
    if (kind_of(host) != MemoryKind::Pinned) return failed(cudaErrorInvalidValue);
    *device = host;
    return failed(call.error());
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    const Call call;
    *total = settings().memory;
    *free = settings().memory - memory().used;
    return failed(call.error());
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
    static MemoryPool one;
    *pool = &one;
    return failed(device_error());
}

// What is freed goes back at once, whatever the pool is told to keep.
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr, void*) {
    return failed(pool ? device_error() : cudaErrorInvalidValue);
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t) {
    return failed(pool ? device_error() : cudaErrorInvalidValue);
}
