// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/content_hash.hpp"
#include "io/safetensors.hpp"
#include "tensor/tensor_view.hpp"

namespace mor {

/// The weights of a model directory: model.safetensors, or the files that model.safetensors.index.json names. Views
/// live as long as the object.
class Checkpoint {
public:
    explicit Checkpoint(const std::filesystem::path& directory);

    /// Null when no file has it.
    const TensorView* find(std::string_view name) const;

    /// The first candidate that is there: shared tensors may be stored once or repeated, so callers name the tensor's
    /// own place first and its owner's place last. Throws Error naming all candidates when none is there.
    const TensorView& get(std::span<const std::string> candidates) const;
    const TensorView& get(std::initializer_list<std::string> candidates) const;

    /// The same, and it must have this shape.
    const TensorView& expect(std::span<const std::string> candidates, std::initializer_list<std::int64_t> shape) const;
    const TensorView& expect(std::initializer_list<std::string> candidates,
                             std::initializer_list<std::int64_t> shape) const;

    std::vector<std::string> names() const;            ///< sorted
    const std::string& path() const { return path_; }  ///< of model.safetensors or its index, for messages

    /// Adds names, types, shapes and data of all tensors, in the order of names.
    void add_to(ContentHash&) const;

private:
    void read_index(const std::filesystem::path& index);

    std::string path_;
    std::vector<SafetensorsFile> files_;
    std::map<std::string, std::size_t, std::less<>> file_of_;  ///< tensor name -> index into files_
};

}  // namespace mor
