# SPDX-License-Identifier: Apache-2.0
# Language, warnings and sanitizers of every target; link `mor_options` to get them.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(mor_options INTERFACE)
target_compile_options(mor_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    -Wno-missing-field-initializers)  # designated initialisers leave the rest at its default on purpose
if(MOR_SANITIZE)
    target_compile_options(mor_options INTERFACE -fsanitize=${MOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(mor_options INTERFACE -fsanitize=${MOR_SANITIZE})
endif()
