// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "backend/cuda/device_stream.hpp"

/// Devices, and what to say when there is none.
namespace mor::cuda {

/// All devices, in CUDA's order. Throws DeviceError where there is none, or no driver for this runtime.
std::vector<DeviceInfo> find_devices();

/// The first device. Throws DeviceError, also when it is older than the kernels.
DeviceInfo choose_device();

/// Why cudaGetDeviceCount failed and what to do. Versions as CUDA counts them, 13000 for 13.0; 0: no driver.
std::string why_no_device(cudaError_t, int driver_version, int runtime_version);

/// "79.2 GiB", "512 MiB", "12 bytes"
std::string bytes_text(std::size_t bytes);

}  // namespace mor::cuda
