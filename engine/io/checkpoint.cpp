// SPDX-License-Identifier: Apache-2.0
#include "io/checkpoint.hpp"

#include <algorithm>

#include "io/json.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

constexpr std::uintmax_t kLargestIndex = 64u << 20;  // bytes
constexpr std::size_t kMostFiles = 1024;

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (const auto d : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
    return text + "]";
}

/// A shard must lie in the model directory itself: a plain file name.
const std::string& plain_file_name(const Field& field) {
    const auto& name = field.text();
    const bool plain =
        !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
    if (!plain) field.refuse("the name of a file in the model's directory");
    return name;
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& directory) {
    const auto single = directory / "model.safetensors";
    const auto index = directory / "model.safetensors.index.json";
    std::error_code ignored;
    if (std::filesystem::exists(single, ignored)) {
        path_ = single.string();
        files_.emplace_back(single);
        for (auto& name : files_.front().names()) file_of_.emplace(std::move(name), 0);
    } else if (std::filesystem::exists(index, ignored)) {
        path_ = index.string();
        read_index(index);
    } else {
        throw bad_input(directory.string(), "weights", "model.safetensors or model.safetensors.index.json", "neither");
    }
}

void Checkpoint::read_index(const std::filesystem::path& index) {
    const Json json = parse_json(read_text_file(index, kLargestIndex), path_, "content");
    const Field weight_map = Field(json, path_).at("weight_map");
    if (!weight_map.json().is_object()) weight_map.refuse("an object of tensor and file names");
    std::map<std::string, std::size_t> opened;
    for (const auto& [name, value] : weight_map.json().items()) {
        const Field place(value, path_, "weight_map " + name);
        const auto& file = plain_file_name(place);
        const auto [known, is_new] = opened.emplace(file, files_.size());
        if (is_new) {
            if (files_.size() == kMostFiles) weight_map.refuse("at most " + std::to_string(kMostFiles) + " files", "more");
            files_.emplace_back(index.parent_path() / file);
        }
        if (!files_[known->second].entry(name)) place.refuse("a file that holds this tensor");
        file_of_.emplace(name, known->second);
    }
}

const TensorView* Checkpoint::find(std::string_view name) const {
    const auto it = file_of_.find(name);
    return it == file_of_.end() ? nullptr : files_[it->second].find(name);
}

const TensorView& Checkpoint::get(std::span<const std::string> candidates) const {
    for (const auto& name : candidates) {
        if (const auto* tensor = find(name)) return *tensor;
    }
    std::string tried;
    for (const auto& name : candidates) tried += (tried.empty() ? "" : " or ") + name;
    throw bad_input(path_, "tensor", tried, "none of that name");
}

const TensorView& Checkpoint::get(std::initializer_list<std::string> candidates) const {
    return get(std::span(candidates.begin(), candidates.size()));
}

const TensorView& Checkpoint::expect(std::span<const std::string> candidates,
                                     std::initializer_list<std::int64_t> shape) const {
    const auto& tensor = get(candidates);
    if (!std::ranges::equal(tensor.shape, shape)) {
        const auto found = std::ranges::find_if(candidates, [&](const auto& name) { return find(name) == &tensor; });
        throw bad_input(path_, "tensor " + *found + " shape", shape_text({shape.begin(), shape.size()}),
                        shape_text(tensor.shape));
    }
    return tensor;
}

const TensorView& Checkpoint::expect(std::initializer_list<std::string> candidates,
                                     std::initializer_list<std::int64_t> shape) const {
    return expect(std::span(candidates.begin(), candidates.size()), shape);
}

std::vector<std::string> Checkpoint::names() const {
    std::vector<std::string> all;
    for (const auto& [name, file] : file_of_) all.push_back(name);
    return all;
}

void Checkpoint::add_to(ContentHash& hash) const {
    for (const auto& [name, file] : file_of_) {
        const auto* entry = files_[file].entry(name);
        std::string form = name + " " + entry->dtype + " " + shape_text(entry->shape);
        hash.add(form);
        hash.add(entry->data);
    }
}

}  // namespace mor
