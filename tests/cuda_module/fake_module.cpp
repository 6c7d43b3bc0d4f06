// SPDX-License-Identifier: Apache-2.0
// Modules that the loader must refuse, one for each set of definitions (CMakeLists.txt).
#include "backend/cuda_module.hpp"

#ifdef FAKE_CUBLAS
extern "C" int fake_cublas();
#endif

namespace {

constexpr mor::cuda::Module kModule{
    FAKE_ABI, FAKE_BUILD, [](mor::cuda::ModuleDevice*, int, mor::cuda::Sentence) { return 0; },
    [](const mor::DeviceSettings&, mor::cuda::Sentence) -> mor::Backend* { return nullptr; }, [](mor::Backend*) {}};

}  // namespace

extern "C" const mor::cuda::Module* mor_cuda_module() {
#ifdef FAKE_CUBLAS
    fake_cublas();
#endif
    return &kModule;
}
