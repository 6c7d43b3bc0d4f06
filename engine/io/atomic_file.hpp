// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace mor {

/// A file written beside its final name and renamed by commit(), so that others see the old file or the whole new
/// one. Without commit() nothing is left behind. Throws Error when the disk does.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path&);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte>);
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    void commit();

private:
    [[noreturn]] void fail(const char* what, int reason);
    void discard() noexcept;

    std::filesystem::path target_;
    std::string temporary_;
    int fd_ = -1;
};

}  // namespace mor
