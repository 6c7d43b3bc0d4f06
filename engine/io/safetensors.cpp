// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "mor/error.hpp"

namespace mor {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;  // bytes; the format's own limit
constexpr std::size_t kMostDimensions = 8;

/// Bytes per element of every type the format knows; 0 for others. Types below one byte are not read.
int element_bytes(const std::string& dtype) {
    static constexpr std::pair<const char*, int> kTypes[] = {
        {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
        {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
        {"F32", 4},  {"F64", 8}, {"I64", 8}, {"U64", 8},     {"C64", 8}};
    for (const auto& [name, bytes] : kTypes) {
        if (dtype == name) return bytes;
    }
    return 0;
}

std::optional<DType> weight_type(const std::string& dtype) {
    if (dtype == "F32") return DType::F32;
    if (dtype == "F16") return DType::F16;
    if (dtype == "BF16") return DType::BF16;
    return std::nullopt;
}

/// The header's text, after its length has been found to fit the file.
std::string_view header_text(std::span<const std::byte> bytes, const std::string& file) {
    if (bytes.size() < kLengthBytes) {
        throw bad_input(file, "header length", "8 bytes", "a file of " + std::to_string(bytes.size()));
    }
    std::uint64_t length = 0;
    for (std::uint64_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    const std::uint64_t most = std::min<std::uint64_t>(bytes.size() - kLengthBytes, kLargestHeader);
    if (length > most) {
        throw bad_input(file, "header length", "at most " + std::to_string(most) + " bytes", std::to_string(length));
    }
    return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<std::size_t>(length)};
}

std::vector<std::int64_t> read_shape(const Field& shape) {
    if (!shape.json().is_array() || shape.size() > kMostDimensions) {
        shape.refuse("a list of at most " + std::to_string(kMostDimensions) + " dimensions");
    }
    std::vector<std::int64_t> dimensions;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        dimensions.push_back(shape.item(i).integer(0, std::numeric_limits<std::int64_t>::max()));
    }
    return dimensions;
}

/// shape x bytes per element, or a refusal where 63 bits cannot hold it.
std::uint64_t size_in_bytes(const Field& shape, const std::vector<std::int64_t>& dimensions, int element) {
    std::int64_t bytes = element;
    for (const auto d : dimensions) {
        if (__builtin_mul_overflow(bytes, d, &bytes)) shape.refuse("a tensor smaller than 2^63 bytes", "a larger one");
    }
    return static_cast<std::uint64_t>(bytes);
}

std::pair<std::uint64_t, std::uint64_t> read_offsets(const Field& offsets, std::uint64_t data_size) {
    if (!offsets.json().is_array() || offsets.size() != 2) offsets.refuse("a list of begin and end");
    const auto most = static_cast<std::int64_t>(data_size);
    const auto begin = offsets.item(0).integer(0, most);
    const auto end = offsets.item(1).integer(0, most);
    if (begin > end) {
        offsets.refuse("begin <= end", std::to_string(begin) + " and " + std::to_string(end));
    }
    return {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path), path_(path.string()) {
    const auto bytes = file_.bytes();
    const auto text = header_text(bytes, path_);
    const Json header = parse_json(text, path_, "header", {.depth = 4});
    if (!header.is_object()) throw bad_input(path_, "header", "a JSON object", describe(header));
    const auto data = bytes.subspan(kLengthBytes + text.size());
    for (const auto& [name, value] : header.items()) {
        if (name == "__metadata__") {
            const Field metadata(value, path_, name);
            if (!value.is_object()) metadata.refuse("an object");
            for (const auto& [key, word] : value.items()) metadata_.emplace(key, metadata.at(key).text());
        } else {
            read_tensor(Field(value, path_, "tensor " + name + " "), name, data);
        }
    }
    check_coverage(data.size());
}

void SafetensorsFile::read_tensor(const Field& field, const std::string& name, std::span<const std::byte> data) {
    Tensor tensor;
    const Field dtype = field.at("dtype");
    tensor.entry.dtype = dtype.text();
    const int element = element_bytes(tensor.entry.dtype);
    if (element == 0) dtype.refuse("a type of the safetensors format, such as F32, F16 or BF16");
    const Field shape = field.at("shape");
    tensor.entry.shape = read_shape(shape);
    const auto size = size_in_bytes(shape, tensor.entry.shape, element);
    const Field offsets = field.at("data_offsets");
    std::tie(tensor.begin, tensor.end) = read_offsets(offsets, data.size());
    if (tensor.end - tensor.begin != size) {
        offsets.refuse(std::to_string(size) + " bytes, as shape and dtype say", std::to_string(tensor.end - tensor.begin));
    }
    tensor.entry.data = data.subspan(tensor.begin, size);
    if (const auto type = weight_type(tensor.entry.dtype)) {
        tensor.view = {*type, tensor.entry.shape, tensor.entry.data.data()};
    }
    tensors_.emplace(name, std::move(tensor));
}

/// In order of their offsets the tensors must lie end to end and fill the data.
void SafetensorsFile::check_coverage(std::uint64_t data_size) const {
    std::vector<std::pair<const std::string*, const Tensor*>> order;
    for (const auto& [name, tensor] : tensors_) order.emplace_back(&name, &tensor);
    std::ranges::sort(order, {}, [](const auto& t) { return std::pair(t.second->begin, t.second->end); });
    std::uint64_t covered = 0;
    for (const auto& [name, tensor] : order) {
        if (tensor->begin != covered) {
            throw bad_input(path_, "tensor " + *name + " data_offsets",
                            "begin " + std::to_string(covered) + ", where the tensor before it ends",
                            std::to_string(tensor->begin));
        }
        covered = tensor->end;
    }
    if (covered != data_size) {
        throw bad_input(path_, "data", std::to_string(covered) + " bytes, where the last tensor ends",
                        std::to_string(data_size));
    }
}

const SafetensorsEntry* SafetensorsFile::entry(std::string_view name) const {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? nullptr : &it->second.entry;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) return nullptr;
    if (!weight_type(it->second.entry.dtype)) {
        throw bad_input(path_, "tensor " + it->first + " dtype", "F32, F16 or BF16", it->second.entry.dtype);
    }
    return &it->second.view;
}

std::vector<std::string> SafetensorsFile::names() const {
    std::vector<std::string> all;
    for (const auto& [name, tensor] : tensors_) all.push_back(name);
    return all;
}

}  // namespace mor
