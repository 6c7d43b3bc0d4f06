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

/// Time the device itself spent in one kind of operation, between two of its own events.
struct OperationTime {
    std::string operation;
    std::int64_t calls = 0;
    double milliseconds = 0;
};

class Model;

/// Begins or ends the measurement of a model's operations; only CUDA measures. While it is on, runs are slower.
void measure_operations(const Model&, bool on);

/// What was measured since the last call, longest first; waits for the device.
std::vector<OperationTime> take_operation_times(const Model&);

/// Bytes per second that the model's device can read, from its clock and bus; 0 where unknown.
double memory_bandwidth(const Model&);

/// The CPU, then the CUDA devices, of which the first is the one that "cuda" means; without any, one entry says why.
std::vector<Device> list_devices();

}  // namespace mor
