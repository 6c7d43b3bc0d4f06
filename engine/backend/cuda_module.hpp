// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "mor/settings.hpp"

/// What the engine and the CUDA module, a shared library opened at run time, agree on.
///
/// The module hands out a Backend as the C++ object it is, and its operations throw mor::Error. Both are safe because
/// engine and module were built from the same headers by the same compiler (`build`, compared before anything else is
/// called) and share the process's one libstdc++, which compares exception types by name. Functions of this table throw
/// nothing. A module is never unloaded, so whatever it handed out may live as long as the process.
namespace mor {
class Backend;
}

namespace mor::cuda {

inline constexpr std::uint32_t kModuleAbi = 1;
inline constexpr char kModuleEntry[] = "mor_cuda_module";

struct ModuleDevice {
    char name[256];
    int major, minor;                   ///< compute capability
    std::uint64_t memory, free_memory;  ///< bytes
};

/// Where a function says in one sentence why it failed; cut to `length` bytes with the final zero.
struct Sentence {
    char* text;
    std::size_t length;
};

struct Module {
    std::uint32_t abi;  ///< kModuleAbi; first, so that any version can read it
    const char* build;  ///< equal in engine and module
    /// Fills up to `capacity` devices and returns how many there are, or -1.
    int (*devices)(ModuleDevice*, int capacity, Sentence);
    /// A backend to be given to destroy(), or null.
    Backend* (*create)(const DeviceSettings&, Sentence);
    void (*destroy)(Backend*);
};

using ModuleEntry = const Module* (*)();

}  // namespace mor::cuda
