// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "backend/cuda_module.hpp"

namespace mor::cuda {

/// Where the module is looked for, best first: MOR_CUDA_MODULE alone when it is set, else beside the program, else in the
/// folder that the Debian package installs it in.
std::vector<std::filesystem::path> module_places();

/// Opens the module and checks that it belongs to this engine. Throws DeviceError that says what is missing and what to do.
const Module& open_module();

/// What the module says about its devices, the first being the one that is used.
std::vector<ModuleDevice> devices_of(const Module&);

}  // namespace mor::cuda
