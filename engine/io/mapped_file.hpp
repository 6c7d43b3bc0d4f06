// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace mor {

/// A regular, non-empty file mapped read-only for as long as the object lives. Weights are used where they lie, so
/// several processes share one copy. The file must not be shortened while it is mapped.
class MappedFile {
public:
    explicit MappedFile(const std::filesystem::path&);
    ~MappedFile();
    MappedFile(MappedFile&&) noexcept;
    MappedFile& operator=(MappedFile&&) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {data_, size_}; }

private:
    void unmap() noexcept;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The whole content of a regular file of at most `limit` bytes, as it is now; it may be empty.
std::string read_text_file(const std::filesystem::path&, std::uintmax_t limit);

}  // namespace mor
