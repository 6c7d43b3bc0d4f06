# SPDX-License-Identifier: Apache-2.0
# Whether the CUDA module is built: sets MOR_CUDA_ENABLED, and enables the language. Nothing else links CUDA, so a build
# without it is complete; packaging/get-cuda.sh fetches a toolkit where there is none.
set(MOR_CUDA AUTO CACHE STRING "Build the CUDA module: AUTO (where nvcc works), ON or OFF")
set_property(CACHE MOR_CUDA PROPERTY STRINGS AUTO ON OFF)
set(MOR_CUDA_ENABLED OFF)

if(NOT MOR_CUDA MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "MOR_CUDA: expected AUTO, ON or OFF, got ${MOR_CUDA}")
endif()

# Device code cannot be instrumented, so sanitizer builds run the kernels on the emulated CUDA only.
if(MOR_CUDA STREQUAL "ON" OR (MOR_CUDA STREQUAL "AUTO" AND NOT MOR_SANITIZE))
    if(NOT CMAKE_CUDA_ARCHITECTURES)
        if(CMAKE_BUILD_TYPE MATCHES "Debug")
            set(CMAKE_CUDA_ARCHITECTURES 90)  # one, because compiling for four takes four times as long
        else()
            set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100-real 120)  # the last one with PTX for what comes
        endif()
    endif()
    include(CheckLanguage)
    if(NOT CMAKE_CUDA_COMPILER)
        find_program(mor_nvcc nvcc PATHS /usr/local/cuda/bin NO_CACHE)
        if(mor_nvcc)
            set(CMAKE_CUDA_COMPILER ${mor_nvcc})
        endif()
    endif()
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
        enable_language(CUDA)
        if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc 13 has C++20
            set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
        endif()
        find_package(CUDAToolkit 12.8 QUIET)  # the first that knows compute capability 10.0 and 12.0
    endif()
    if(CMAKE_CUDA_COMPILER AND TARGET CUDA::cublas AND TARGET CUDA::cudart_static)
        set(MOR_CUDA_ENABLED ON)
    elseif(MOR_CUDA STREQUAL "ON")
        message(FATAL_ERROR "MOR_CUDA=ON: expected a CUDA toolkit from 12.8 with nvcc, cuBLAS and the static runtime, got "
            "compiler '${CMAKE_CUDA_COMPILER}', version '${CUDAToolkit_VERSION}'. packaging/get-cuda.sh fetches one.")
    endif()
endif()
message(STATUS "CUDA module: ${MOR_CUDA_ENABLED} (MOR_CUDA=${MOR_CUDA}; ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_ARCHITECTURES})")
