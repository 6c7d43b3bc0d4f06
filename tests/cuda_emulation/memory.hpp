// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cuda_emulation/runtime.hpp"

namespace cuda_emulation {

enum class MemoryKind { Unknown, Device, Pinned, Freed };

/// What is wrong with a range that the device is given at `where`, or empty: outside of its allocation, freed, or not the
/// device's to touch. "device memory of 64 bytes allocated at file.cu:12, bytes 60 to 68 of it"
std::string wrong_device_range(const void* begin, std::size_t bytes);

/// As above for one word of a kernel's arguments. A word that may be no pointer is only wrong when it points to memory that
/// was freed.
std::string wrong_argument(std::uintptr_t word, bool is_pointer);

MemoryKind kind_of(const void*);

/// Under AddressSanitizer, device memory can only be touched while the device works: the host must not follow its pointers.
/// Opened and closed in pairs, which may nest.
class DeviceWorks {
public:
    DeviceWorks();
    ~DeviceWorks();
    DeviceWorks(const DeviceWorks&) = delete;
    DeviceWorks& operator=(const DeviceWorks&) = delete;
};

void report_leaks();
void forget_memory();

}  // namespace cuda_emulation
