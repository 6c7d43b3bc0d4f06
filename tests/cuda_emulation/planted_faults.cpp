// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/planted_faults.hpp"

#include <cstdio>
#include <cstring>

/// planted_faults: lists the names. planted_faults NAME: runs that one; exit status 0, 1 for a wrong value, or what the
/// emulation and the sanitizers end with.
int main(int argc, char** argv) {
    for (const auto& list : {planted::kernel_faults(), planted::memory_faults(), planted::stream_faults()}) {
        for (const planted::Fault& fault : list) {
            if (argc < 2) std::puts(fault.name);
            if (argc < 2 || std::strcmp(fault.name, argv[1]) != 0) continue;
            const bool right = fault.run();
            if (!right) std::fprintf(stderr, "wrong value\n");
            return right ? 0 : 1;
        }
    }
    return argc < 2 ? 0 : 2;
}
