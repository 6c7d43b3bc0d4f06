// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/report.hpp"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

namespace cuda_emulation {
namespace {

struct Faults {
    std::mutex mutex;
    std::vector<std::string> sentences;
};

/// Lives to the very end of the process: leaks are reported by destructors.
Faults& faults() {
    static auto* list = new Faults;
    return *list;
}

}  // namespace

void fault(const char* sentence, ...) {
    char text[1024];
    std::va_list arguments;
    va_start(arguments, sentence);
    std::vsnprintf(text, sizeof(text), sentence, arguments);
    va_end(arguments);
    std::fprintf(stderr, "cuda emulation: %s\n", text);
    const std::lock_guard lock(faults().mutex);
    faults().sentences.emplace_back(text);
}

std::vector<std::string> take_faults() {
    const std::lock_guard lock(faults().mutex);
    return std::exchange(faults().sentences, {});
}

std::string place(const Where& where) {
    const char* slash = std::strrchr(where.file_name(), '/');
    return std::string(slash ? slash + 1 : where.file_name()) + ":" + std::to_string(where.line());
}

bool same(const Where& a, const Where& b) {
    return a.line() == b.line() && a.column() == b.column() &&
           (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

void exit_with_faults() {
    std::size_t count = 0;
    {
        const std::lock_guard lock(faults().mutex);
        count = faults().sentences.size();
    }
    if (count == 0) return;
    std::fprintf(stderr, "cuda emulation: %zu faults, exit status %d\n", count, kFaultExit);
    std::fflush(nullptr);
    _exit(kFaultExit);
}

}  // namespace cuda_emulation
