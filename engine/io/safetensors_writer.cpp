// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "io/atomic_file.hpp"
#include "io/safetensors.hpp"
#include "mor/error.hpp"

namespace mor {
namespace {

std::span<const std::byte> data_of(const OutputTensor& t) {
    return t.i32.empty() ? std::as_bytes(t.f32) : std::as_bytes(t.i32);
}

Json header_of(std::span<const OutputTensor> tensors, const std::map<std::string, std::string>& metadata) {
    Json header = Json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::size_t begin = 0;
    for (const auto& t : tensors) {
        const std::size_t end = begin + data_of(t).size();
        header[t.name] = {{"dtype", t.i32.empty() ? "F32" : "I32"}, {"shape", t.shape}, {"data_offsets", {begin, end}}};
        begin = end;
    }
    return header;
}

/// Mistakes of the caller, found before they become a file that nobody can read.
void check(const std::string& file, std::span<const OutputTensor> tensors) {
    std::set<std::string_view> names;
    for (const auto& t : tensors) {
        std::int64_t elements = 1;
        for (const auto d : t.shape) elements *= d;
        const std::size_t got = t.i32.empty() ? t.f32.size() : t.i32.size();
        if (static_cast<std::size_t>(elements) != got || (!t.i32.empty() && !t.f32.empty())) {
            throw bad_input(file, "tensor " + t.name, std::to_string(elements) + " values of one type",
                            std::to_string(got));
        }
        if (!names.insert(t.name).second) throw bad_input(file, "tensor " + t.name, "every name once", "it twice");
    }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
    check(path.string(), tensors);
    std::string header = header_of(tensors, metadata).dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
    std::string length(8, '\0');
    for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    AtomicFile file(path);
    file.write(length);
    file.write(header);
    for (const auto& t : tensors) file.write(data_of(t));
    file.commit();
}

}  // namespace mor
