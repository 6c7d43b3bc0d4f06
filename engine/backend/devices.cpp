// SPDX-License-Identifier: Apache-2.0
#include "mor/devices.hpp"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "backend/backend.hpp"
#include "backend/cuda_loader.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

Device cpu_device() {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const std::int64_t page = sysconf(_SC_PAGESIZE);
    return {.id = "cpu",
            .name = cpu_isas().front() + ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores"),
            .memory = sysconf(_SC_PHYS_PAGES) * page,
            .free_memory = sysconf(_SC_AVPHYS_PAGES) * page};
}

Device cuda_device(const cuda::ModuleDevice& d) {
    return {.id = "cuda",
            .name = d.name,
            .capability = std::to_string(d.major) + "." + std::to_string(d.minor),
            .memory = static_cast<std::int64_t>(d.memory),
            .free_memory = static_cast<std::int64_t>(d.free_memory)};
}

}  // namespace

std::vector<Device> list_devices() {
    std::vector<Device> devices{cpu_device()};
    try {
        for (const cuda::ModuleDevice& d : cuda::devices_of(cuda::open_module())) devices.push_back(cuda_device(d));
    } catch (const DeviceError& error) {
        devices.push_back({.id = "cuda", .problem = error.what()});
    }
    return devices;
}

}  // namespace mor
