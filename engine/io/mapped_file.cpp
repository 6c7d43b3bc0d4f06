// SPDX-License-Identifier: Apache-2.0
#include "io/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "mor/error.hpp"

namespace mor {
namespace {

/// An open regular file; everything else (directories, pipes, devices) is refused without blocking on it.
class OpenFile {
public:
    explicit OpenFile(const std::filesystem::path& path)
        : name_(path.string()), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (fd_ < 0) refuse(errno);
        struct stat status {};
        if (::fstat(fd_, &status) != 0) {
            const int reason = errno;
            ::close(fd_);
            refuse(reason);
        }
        if (!S_ISREG(status.st_mode)) {
            ::close(fd_);
            throw bad_input(name_, "file", "a regular file (choose a file, not a folder)",
                            S_ISDIR(status.st_mode) ? "a directory" : "a pipe or device");
        }
        size_ = static_cast<std::uintmax_t>(status.st_size);
    }
    ~OpenFile() { ::close(fd_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    int fd() const { return fd_; }
    std::uintmax_t size() const { return size_; }
    const std::string& name() const { return name_; }

    [[noreturn]] void refuse(int reason) const {
        const char* advice = reason == ENOENT ? " (check the path)" : reason == EACCES ? " (change its permissions)" : "";
        throw bad_input(name_, "file", std::string("a readable file") + advice, std::strerror(reason));
    }

private:
    std::string name_;
    int fd_;
    std::uintmax_t size_ = 0;
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
    const OpenFile file(path);
    if (file.size() == 0) throw bad_input(file.name(), "file", "content (copy it again)", "an empty file");
    void* data = ::mmap(nullptr, file.size(), PROT_READ, MAP_PRIVATE, file.fd(), 0);
    if (data == MAP_FAILED) file.refuse(errno);
    data_ = static_cast<const std::byte*>(data);
    size_ = file.size();
}

MappedFile::~MappedFile() { unmap(); }

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    if (this != &other) {
        unmap();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void MappedFile::unmap() noexcept {
    if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string read_text_file(const std::filesystem::path& path, std::uintmax_t limit) {
    const OpenFile file(path);
    std::string text;
    text.reserve(std::min(file.size(), limit));
    char buffer[1 << 16];
    for (;;) {
        const ssize_t n = ::read(file.fd(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) file.refuse(errno);
        if (n == 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > limit) {
            throw bad_input(file.name(), "file", "at most " + std::to_string(limit) + " bytes",
                            std::to_string(std::max<std::uintmax_t>(file.size(), text.size())));
        }
    }
}

}  // namespace mor
