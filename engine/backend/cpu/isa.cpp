// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/isa.hpp"

namespace mor::cpu {

// __builtin_cpu_supports also asks whether the operating system saves the registers.

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> sets;
#ifdef MOR_CPU_X86
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512) sets.push_back(&avx512_kernels());
    if (avx2) sets.push_back(&avx2_kernels());
#endif
    sets.push_back(&generic_kernels());
    return sets;
}

bool has_bf16_products() {
#ifdef MOR_CPU_X86
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

}  // namespace mor::cpu
