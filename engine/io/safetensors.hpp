// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"
#include "io/mapped_file.hpp"
#include "tensor/tensor_view.hpp"

namespace mor {

/// A tensor as the file declares it, of any type the format knows.
struct SafetensorsEntry {
    std::string dtype;  ///< "F32", "I64", ...
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;  ///< little-endian, row-major, possibly unaligned
};

/// A .safetensors file: eight bytes of header length (little-endian), a JSON header, data. Everything is checked when
/// it is opened: the header's size and syntax, types, shapes, and that the tensors cover the data without gap or
/// overlap, as the format demands. Views live as long as the object.
class SafetensorsFile {
public:
    explicit SafetensorsFile(const std::filesystem::path&);

    /// Null when there is no such tensor. Throws Error when its type is none that weights have.
    const TensorView* find(std::string_view name) const;

    /// The tensor in whatever type it has; null when there is none.
    const SafetensorsEntry* entry(std::string_view name) const;

    std::vector<std::string> names() const;  ///< sorted
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    const std::string& path() const { return path_; }

private:
    struct Tensor {
        SafetensorsEntry entry;
        TensorView view;  ///< data is null where the type is none that weights have
        std::uint64_t begin = 0, end = 0;
    };

    void read_tensor(const Field&, const std::string& name, std::span<const std::byte> data);
    void check_coverage(std::uint64_t data_size) const;

    MappedFile file_;
    std::string path_;
    std::map<std::string, Tensor, std::less<>> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// What write_safetensors stores: exactly one of `f32` and `i32` is used, the other stays empty.
struct OutputTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::span<const float> f32 = {};
    std::span<const std::int32_t> i32 = {};
};

/// Writes beside `path`, flushes to the disk and renames, so that a reader sees the old file or the whole new one.
void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace mor
