// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mor/error.hpp"

namespace mor {

AtomicFile::AtomicFile(const std::filesystem::path& path) : target_(path) {
    constexpr int kAttempts = 100;
    std::error_code ignored;
    if (std::filesystem::is_directory(target_, ignored)) {
        throw bad_input(target_.string(), "file", "the name of a file to write", "a directory");
    }
    const std::string stem = target_.string() + ".part-" + std::to_string(::getpid()) + "-";
    for (int i = 0; i < kAttempts && fd_ < 0; ++i) {
        temporary_ = stem + std::to_string(i);
        fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd_ < 0 && errno != EEXIST) break;
    }
    if (fd_ < 0) fail("created", errno);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("written", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
}

void AtomicFile::commit() {
    if (::fsync(fd_) != 0) fail("written", errno);
    const int closed = ::close(fd_);
    fd_ = -1;
    if (closed != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int reason = errno;
        ::unlink(temporary_.c_str());
        throw bad_input(target_.string(), "file", "a file that can be written", std::strerror(reason));
    }
}

void AtomicFile::fail(const char* what, int reason) {
    discard();
    throw bad_input(target_.string(), "file", std::string("a file that can be ") + what, std::strerror(reason));
}

void AtomicFile::discard() noexcept {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(temporary_.c_str());
    fd_ = -1;
}

}  // namespace mor
