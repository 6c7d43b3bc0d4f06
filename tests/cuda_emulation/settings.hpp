// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cuda_emulation {

/// When work in a stream runs. Deferred: when something waits, the latest CUDA allows, so results are not there early.
/// Eager: at once, the earliest, so host data that is written too late is missed. Random: now one, now the other.
enum class StreamMode { Deferred, Eager, Random };

/// How the device behaves. The defaults come from the environment, see settings.cpp; change them before the first CUDA
/// call or after cudaDeviceReset().
struct Settings {
    std::uint64_t seed = 0;                     ///< of the order of threads and blocks; MOR_CUDA_EMULATION_SEED
    bool shuffle = true;                        ///< false: threads and blocks in ascending order
    StreamMode streams = StreamMode::Deferred;  ///< MOR_CUDA_EMULATION_STREAMS
    std::size_t memory = std::size_t(8) << 30;  ///< bytes of device memory; MOR_CUDA_EMULATION_MEMORY
    int devices = 1;                            ///< 0: as on a machine without one; MOR_CUDA_EMULATION_DEVICES
    int driver = 13000;                         ///< CUDA version of the driver, 0: none; MOR_CUDA_EMULATION_DRIVER
    std::size_t static_shared = 48 << 10;       ///< bytes of shared memory a block has without opting in
    std::size_t optin_shared = 227 << 10;       ///< bytes with cudaFuncAttributeMaxDynamicSharedMemorySize
};
Settings& settings();

/// What ran since the start or the last cudaDeviceReset().
struct Statistics {
    std::uint64_t launches = 0, blocks = 0, threads = 0;
    std::uint64_t switches = 0;  ///< from one fibre to another
    std::uint64_t copies = 0, copied_bytes = 0;
    std::uint64_t bytes_to_host = 0;   ///< of copied_bytes
    std::uint64_t products = 0;        ///< cuBLAS calls
    std::uint64_t waits = 0;           ///< host calls that waited for the device, implicit ones included
    std::uint64_t implicit_waits = 0;  ///< cudaFree, cudaMalloc, cudaMemcpy and the like
};
const Statistics& statistics();

/// The mistakes found so far, one sentence each, and forgets them. A process that ends with some not taken, or that leaks
/// device memory, exits with status kFaultExit.
std::vector<std::string> take_faults();
inline constexpr int kFaultExit = 86;

}  // namespace cuda_emulation
