# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    backend/cuda_loader.cpp
    backend/devices.cpp
)

# What an engine and a CUDA module must have in common, as one word: the files that say what passes between them, and
# the compiler, whose classes and exceptions pass too.
set(mor_cuda_interface
    backend/backend.hpp backend/cuda_module.hpp tensor/tensor_view.hpp include/mor/devices.hpp include/mor/error.hpp include/mor/settings.hpp
    include/mor/types.hpp)
set(mor_cuda_text "")
foreach(file ${mor_cuda_interface})
    file(SHA256 ${CMAKE_CURRENT_SOURCE_DIR}/${file} hash)
    string(APPEND mor_cuda_text ${hash})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
endforeach()
string(SHA256 mor_cuda_hash "${mor_cuda_text}")
string(SUBSTRING ${mor_cuda_hash} 0 12 mor_cuda_hash)
set(MOR_CUDA_BUILD "${PROJECT_VERSION}-${mor_cuda_hash}-${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION}"
    CACHE INTERNAL "identity of the engine's side of a CUDA module")
set_source_files_properties(backend/cuda_loader.cpp PROPERTIES COMPILE_DEFINITIONS
    "MOR_CUDA_BUILD=\"${MOR_CUDA_BUILD}\";MOR_CUDA_LIBDIR=\"../${CMAKE_INSTALL_LIBDIR}/morscope\"")
