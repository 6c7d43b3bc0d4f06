// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mor {

/// Something that can compute, or could if what `problem` says were changed.
struct Device {
    std::string id;           ///< as in DeviceSettings::device: "cpu" or "cuda"
    std::string name;         ///< "avx512, 2 cores", "NVIDIA H100 PCIe"
    std::string capability;   ///< compute capability of a CUDA device, "9.0"
    std::int64_t memory = 0;  ///< bytes, all of it
    std::int64_t free_memory = 0;
    std::string problem;  ///< why it cannot be used and what to do; empty when it can
};

/// The CPU, then the CUDA devices, of which the first is the one that "cuda" means; without any, one entry says why.
std::vector<Device> list_devices();

}  // namespace mor
