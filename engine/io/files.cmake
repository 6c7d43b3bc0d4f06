# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    io/atomic_file.cpp
    io/checkpoint.cpp
    io/config.cpp
    io/config_llama.cpp
    io/config_mor.cpp
    io/content_hash.cpp
    io/json.cpp
    io/json_writer.cpp
    io/mapped_file.cpp
    io/model_list.cpp
    io/names.cpp
    io/safetensors.cpp
    io/safetensors_writer.cpp
    io/version.cpp
)
