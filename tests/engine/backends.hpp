// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "mor/devices.hpp"
#include "mor/settings.hpp"

/// The backends that tests run on: every kernel set of the CPU, and CUDA. In the normal run CUDA is the module with the
/// emulated device (MOR_CUDA_EMULATED), in the runs labelled `gpu` the real one alone (MOR_TEST_GPU).
namespace mor::testing {

inline bool flag(const char* variable) {
    const char* value = std::getenv(variable);
    return value && *value && std::string(value) != "0";
}

/// On a device: nothing but CUDA is tested.
inline bool gpu_run() { return flag("MOR_TEST_GPU"); }

/// Everything, however slow: the emulated device runs the cases that the normal run leaves out. packaging/test-cuda.sh
/// sets it.
inline bool exhaustive() { return gpu_run() || flag("MOR_TEST_EVERYTHING"); }

/// What the CUDA backend is called in rows of tests and tables.
inline const char* cuda_name() { return gpu_run() ? "cuda" : "cuda-emulated"; }

/// "avx512", ..., and CUDA.
inline std::vector<std::string> backend_names() {
    std::vector<std::string> names;
    if (!gpu_run()) names = cpu_isas();
    names.emplace_back(cuda_name());
    return names;
}

/// "cpu" and CUDA, for tests that do not care about kernel sets.
inline std::vector<std::string> device_names() {
    if (gpu_run()) return {cuda_name()};
    return {"cpu", cuda_name()};
}

inline bool is_cuda(const std::string& backend) { return backend == cuda_name(); }

/// Settings for a name of either list.
inline DeviceSettings settings_of(const std::string& backend, int threads = 2, DType compute = DType::F32) {
    DeviceSettings settings{.device = "cpu", .threads = threads, .compute = compute};
    if (is_cuda(backend))
        settings.device = "cuda";
    else if (backend != "cpu")
        settings.cpu_isa = backend;
    return settings;
}

inline std::shared_ptr<Backend> make_backend(const DeviceSettings& settings) {
    return settings.device == "cuda" ? make_cuda_backend(settings) : make_cpu_backend(settings);
}

/// Chooses the module. Returns what the process ends with when there is no device to run on, else 0.
inline int prepare_backends() {
    constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt
    if (!gpu_run()) {
#ifdef MOR_CUDA_EMULATED
        setenv("MOR_CUDA_MODULE", MOR_CUDA_EMULATED, 0);  // a module chosen outside stays
#endif
        return 0;
    }
    const Device device = list_devices().at(1);
    if (device.problem.empty()) {
        std::printf("device: %s, compute capability %s\n", device.name.c_str(), device.capability.c_str());
        return 0;
    }
    std::printf("SKIP   : no device: %s\n", device.problem.c_str());
    return kSkipped;
}

}  // namespace mor::testing

/// For tests whose constructor takes the device's name: everything once for each device. Checks named behind the class are
/// those that the normal run makes on the emulated device; without any it makes all.
#define MOR_DEVICE_TEST_MAIN(Test, ...)                                                                \
    int main(int argc, char** argv) {                                                                  \
        if (const int skipped = mor::testing::prepare_backends()) return skipped;                      \
        QCoreApplication application(argc, argv);                                                      \
        int failed = 0;                                                                                \
        for (const std::string& device : mor::testing::device_names()) {                               \
            std::printf("device: %s\n", device.c_str());                                               \
            const QStringList few{__VA_ARGS__};                                                        \
            const bool all = argc > 1 || !mor::testing::is_cuda(device) || mor::testing::exhaustive(); \
            Test test(device);                                                                         \
            failed += QTest::qExec(&test, application.arguments() + (all ? QStringList{} : few));      \
        }                                                                                              \
        return failed;                                                                                 \
    }

/// QTEST_GUILESS_MAIN for tests that run on several backends.
#define MOR_BACKEND_TEST_MAIN(Test)                                               \
    int main(int argc, char** argv) {                                             \
        if (const int skipped = mor::testing::prepare_backends()) return skipped; \
        QCoreApplication application(argc, argv);                                 \
        Test test;                                                                \
        return QTest::qExec(&test, argc, argv);                                   \
    }
