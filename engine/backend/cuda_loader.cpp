// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_loader.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "backend/backend.hpp"
#include "mor/error.hpp"

namespace mor {
namespace cuda {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "libmor_cuda.so";
constexpr int kMostDevices = 64;

const char* chosen_module() {
    const char* path = std::getenv("MOR_CUDA_MODULE");
    return path && *path ? path : nullptr;
}

/// Loading the module costs some 150 MB and 0.2 s, so the driver is asked for first. A module that was named by hand may
/// not need one.
void require_driver() {
    if (void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
        dlclose(driver);  // the module's runtime opens it for itself
        return;
    }
    throw DeviceError("CUDA: no NVIDIA driver on this machine (libcuda.so.1 is missing); install the driver of your GPU");
}

fs::path find_module() {
    std::error_code ignored;
    std::string looked;
    for (const fs::path& place : module_places()) {
        if (fs::exists(place, ignored)) return place;
        looked += (looked.empty() ? "" : " and ") + place.string();
    }
    if (chosen_module()) throw DeviceError("CUDA: MOR_CUDA_MODULE names a file that is not there: " + looked);
    throw DeviceError(std::string("CUDA: the module ") + kFile + " is not installed (looked for " + looked +
                      "); install the package morscope-cuda");
}

/// dlopen's words about a library that the module needs, as something to act on.
std::string advice_for(const std::string& words) {
    if (words.find("libcublas") != std::string::npos)
        return "; cuBLAS is missing: install NVIDIA's package libcublas for CUDA 13, or name its folder in LD_LIBRARY_PATH";
    return "; install the package morscope-cuda that belongs to this version";
}

const Module& checked(void* library, const fs::path& path) {
    const auto other = [&](const std::string& got) {
        return DeviceError("CUDA: " + path.string() + ": expected a module of this build (" MOR_CUDA_BUILD "), got " + got +
                           "; install the package morscope-cuda that belongs to this version");
    };
    const auto entry = reinterpret_cast<ModuleEntry>(dlsym(library, kModuleEntry));
    if (!entry) throw other("a library without " + std::string(kModuleEntry));
    const Module* module = entry();
    if (module->abi != kModuleAbi) throw other("interface " + std::to_string(module->abi));
    if (std::strcmp(module->build, MOR_CUDA_BUILD) != 0) throw other(module->build);
    return *module;
}

/// Runs a function of the module's table, which says in a sentence why it failed.
template <class Function>
auto call(Function&& function) {
    std::array<char, 1024> text{};
    const auto result = function(Sentence{text.data(), text.size()});
    if (text[0]) throw DeviceError(text.data());
    return result;
}

}  // namespace

std::vector<fs::path> module_places() {
    if (const char* path = chosen_module()) return {path};
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    return {program / kFile, (program / MOR_CUDA_LIBDIR / kFile).lexically_normal()};
}

const Module& open_module() {
    if (!chosen_module()) require_driver();
    const fs::path path = find_module();
    // Never unloaded once it is ours (RTLD_NODELETE is set below): memory and types it handed out need its code.
    std::unique_ptr<void, int (*)(void*)> library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), &dlclose);
    if (!library) {
        const char* error = dlerror();
        const std::string words = error ? error : "unknown error";
        throw DeviceError("CUDA: " + path.string() + " cannot be opened: " + words + advice_for(words));
    }
    const Module& module = checked(library.get(), path);
    dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    return module;
}

std::vector<ModuleDevice> devices_of(const Module& module) {
    std::vector<ModuleDevice> devices(kMostDevices);
    const int count = call([&](Sentence s) { return module.devices(devices.data(), kMostDevices, s); });
    devices.resize(static_cast<std::size_t>(count));
    return devices;
}

}  // namespace cuda

std::shared_ptr<Backend> make_cuda_backend(const DeviceSettings& settings) {
    const cuda::Module& module = cuda::open_module();
    return {cuda::call([&](cuda::Sentence s) { return module.create(settings, s); }), module.destroy};
}

}  // namespace mor
