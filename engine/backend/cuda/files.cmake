# SPDX-License-Identifier: Apache-2.0
# The CUDA backend: compiled by nvcc into the module, and by the C++ compiler with an emulated CUDA for tests.
set(MOR_CUDA_DIR ${CMAKE_CURRENT_LIST_DIR})
set(MOR_CUDA_SOURCES
    attention.cu
    attention_few_rows.cu
    attention_many_rows.cu
    attn_in.cu
    cuda_backend.cpp
    device.cpp
    device_stream.cpp
    ffn.cu
    kv_lists.cpp
    linear.cu
    many_rows.cu
    operation_timer.cpp
    pick.cu
    router.cu
    rows.cu
    transfer.cpp
    workspace.cpp
)
list(TRANSFORM MOR_CUDA_SOURCES PREPEND ${MOR_CUDA_DIR}/)
# The entry point, for shared libraries only; needs MOR_CUDA_BUILD.
set(MOR_CUDA_MODULE_SOURCES ${MOR_CUDA_DIR}/module.cpp)
