# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    backend/cpu/attention.cpp
    backend/cpu/bf16_library.cpp
    backend/cpu/cpu_backend.cpp
    backend/cpu/isa.cpp
    backend/cpu/kernels_generic.cpp
    backend/cpu/library_product.cpp
    backend/cpu/linear.cpp
    backend/cpu/make_cpu_backend.cpp
    backend/cpu/memory.cpp
    backend/cpu/pick.cpp
    backend/cpu/router.cpp
    backend/cpu/thread_pool.cpp
)

# oneDNN counts its threads with OpenMP; we only call omp_set_num_threads, so no -fopenmp.
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_link_libraries(mor_engine PRIVATE ${OpenMP_gomp_LIBRARY})

# Kernels are optimised in every build type: without inlining they are a hundred times slower.
set(mor_kernel_options -O3 -fno-math-errno)
set_source_files_properties(backend/cpu/kernels_generic.cpp PROPERTIES COMPILE_OPTIONS "${mor_kernel_options}")
# One order of summation and no fused multiply-add, whatever the compiler could do.
set_source_files_properties(backend/cpu/router.cpp PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=off")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_sources(mor_engine PRIVATE backend/cpu/kernels_avx2.cpp backend/cpu/kernels_avx512.cpp)
    target_compile_definitions(mor_engine PRIVATE MOR_CPU_X86)
    set_source_files_properties(backend/cpu/kernels_avx2.cpp PROPERTIES
        COMPILE_OPTIONS "${mor_kernel_options};-mavx2;-mfma;-mf16c")
    # GCC 12 takes the undefined registers inside its own AVX-512 intrinsics for uninitialised variables (PR 105593).
    set_source_files_properties(backend/cpu/kernels_avx512.cpp PROPERTIES
        COMPILE_OPTIONS "${mor_kernel_options};-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx2;-mfma;-mf16c;-Wno-uninitialized;-Wno-maybe-uninitialized")
endif()
