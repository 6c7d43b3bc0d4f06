// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "mor/error.hpp"

namespace mor {

AtomicFile::AtomicFile(const std::filesystem::path& path) : target_(path), temporary_(path.string() + ".XXXXXX") {
    std::error_code ignored;
    if (std::filesystem::is_directory(target_, ignored)) {
        throw bad_input(target_.string(), "file", "the name of a file to write", "a directory");
    }
    fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
    if (fd_ < 0) fail("created", errno);
    // mkostemp is stricter than people expect of files they ask for; follow the usual mode instead.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(fd_, 0666 & ~mask) != 0) fail("created", errno);
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
