// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/settings.hpp"

#include <cstdlib>
#include <cstring>

#include "cuda_emulation/report.hpp"

namespace cuda_emulation {
namespace {

/// A whole number, with K, M or G for powers of 1024.
std::uint64_t number(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    if (!text || !*text) return otherwise;
    char* end = nullptr;
    std::uint64_t value = std::strtoull(text, &end, 10);
    if (const char* unit = *end ? std::strchr("KMG", *end) : nullptr) {
        value <<= 10 * (unit - std::strchr("KMG", 'K') + 1);
        ++end;
    }
    if (*end || end == text || *text == '-') fault("%s: expected a number, got %s", variable, text);
    return value;
}

StreamMode stream_mode() {
    const char* text = std::getenv("MOR_CUDA_EMULATION_STREAMS");
    if (!text || !*text || std::strcmp(text, "deferred") == 0) return StreamMode::Deferred;
    if (std::strcmp(text, "eager") == 0) return StreamMode::Eager;
    if (std::strcmp(text, "random") == 0) return StreamMode::Random;
    fault("MOR_CUDA_EMULATION_STREAMS: expected deferred, eager or random, got %s", text);
    return StreamMode::Deferred;
}

Settings from_environment() {
    Settings found;
    found.seed = number("MOR_CUDA_EMULATION_SEED", found.seed);
    found.streams = stream_mode();
    found.memory = number("MOR_CUDA_EMULATION_MEMORY", found.memory);
    found.driver = int(number("MOR_CUDA_EMULATION_DRIVER", std::uint64_t(found.driver)));
    found.devices = number("MOR_CUDA_EMULATION_DEVICES", 1) ? 1 : 0;
    return found;
}

}  // namespace

Settings& settings() {
    static Settings values = from_environment();
    return values;
}

}  // namespace cuda_emulation
