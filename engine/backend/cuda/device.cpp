// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/device.hpp"

#include <cmath>

#include "mor/error.hpp"

namespace mor::cuda {
namespace {

constexpr int kLeastMajor = 8;  ///< kernels are compiled for compute capability 8.0 and later

std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    return cudaDeviceGetAttribute(&value, which, device) == cudaSuccess ? value : 0;
}

DeviceInfo describe(int index) {
    cudaDeviceProp p{};
    check(cudaGetDeviceProperties(&p, index), "read the properties of a device");
    DeviceInfo d;
    d.index = index;
    d.name = p.name;
    d.major = p.major;
    d.minor = p.minor;
    d.multiprocessors = p.multiProcessorCount;
    d.total_memory = p.totalGlobalMem;
    d.shared_per_block = p.sharedMemPerBlock;
    d.shared_per_block_optin = p.sharedMemPerBlockOptin;
    // Two transfers a clock; kilohertz and bits.
    d.memory_bandwidth =
        2.0 * 1000 * attribute(cudaDevAttrMemoryClockRate, index) * attribute(cudaDevAttrGlobalMemoryBusWidth, index) / 8;
    constexpr double kFlopsPerClock = 2 * 128;  // multiply-adds of a multiprocessor from 8.6 on
    d.peak_flops = kFlopsPerClock * d.multiprocessors * 1000.0 * attribute(cudaDevAttrClockRate, index);
    return d;
}

}  // namespace

std::string bytes_text(std::size_t bytes) {
    constexpr double kMebi = 1024.0 * 1024.0;
    const double mebi = static_cast<double>(bytes) / kMebi;
    if (mebi < 1) return std::to_string(bytes) + " bytes";
    const bool large = mebi >= 1024;
    const long tenths = std::lround(10 * (large ? mebi / 1024 : mebi));
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) text.append(1, '.').append(std::to_string(tenths % 10));
    return text + (large ? " GiB" : " MiB");
}

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // errors that do not stay are forgotten, so that the next operation starts clean
    std::string text = std::string("CUDA: could not ") + what + ": " + cudaGetErrorString(status);
    if (status == cudaErrorMemoryAllocation)
        text += "; close other programs on the device, use a smaller model or a shorter text";
    throw DeviceError(text);
}

void check(cublasStatus_t status, const char* what) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    cudaGetLastError();
    std::string text = std::string("cuBLAS: could not ") + what + ": " + cublasGetStatusString(status);
    if (status == CUBLAS_STATUS_ALLOC_FAILED) text += "; the device has too little memory left";
    throw DeviceError(text);
}

std::string why_no_device(cudaError_t status, int driver_version, int runtime_version) {
    if (status == cudaErrorInsufficientDriver && driver_version > 0)
        return "CUDA: the NVIDIA driver is too old: it supports CUDA " + version_text(driver_version) +
               ", this program needs " + version_text(runtime_version) + "; update the driver";
    if (status == cudaErrorNoDevice) return "CUDA: no NVIDIA GPU on this machine, or CUDA_VISIBLE_DEVICES hides it";
    if (status == cudaErrorInsufficientDriver || driver_version == 0)
        return "CUDA: no NVIDIA driver is running on this machine; install the driver of your GPU";
    return std::string("CUDA: the devices cannot be listed: ") + cudaGetErrorString(status);
}

std::vector<DeviceInfo> find_devices() {
    int count = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
    if (status != cudaSuccess) {
        cudaGetLastError();
        int driver = 0, runtime = 0;
        cudaDriverGetVersion(&driver);
        cudaRuntimeGetVersion(&runtime);
        throw DeviceError(why_no_device(status, driver, runtime));
    }
    std::vector<DeviceInfo> devices;
    for (int i = 0; i < count; ++i) devices.push_back(describe(i));
    return devices;
}

DeviceInfo choose_device() {
    const DeviceInfo device = find_devices().front();
    if (device.major < kLeastMajor)
        throw DeviceError("CUDA: " + device.name + " has compute capability " + std::to_string(device.major) + "." +
                          std::to_string(device.minor) + ", expected " + std::to_string(kLeastMajor) + ".0 or later");
    return device;
}

}  // namespace mor::cuda
