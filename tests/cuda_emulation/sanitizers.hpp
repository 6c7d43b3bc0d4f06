// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// What the sanitizers are told. These files are compiled without -fsanitize=thread, or else the scheduler's own accesses
/// would be checked as if they were the kernels': MOR_CUDA_EMULATION_TSAN says that the kernels are instrumented.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(MOR_CUDA_EMULATION_TSAN)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
void __tsan_read_range(void* memory, unsigned long bytes);
void __tsan_write_range(void* memory, unsigned long bytes);
}
#endif

namespace cuda_emulation {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
inline void poison(const void* memory, std::size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void unpoison(const void* memory, std::size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
#else
inline constexpr bool kAddressSanitizer = false;
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}
#endif

#if defined(MOR_CUDA_EMULATION_TSAN)
inline constexpr bool kThreadSanitizer = true;
inline void release(void* tag) { __tsan_release(tag); }
inline void acquire(void* tag) { __tsan_acquire(tag); }
inline void see_read(const void* memory, std::size_t bytes) { __tsan_read_range(const_cast<void*>(memory), bytes); }
inline void see_written(void* memory, std::size_t bytes) { __tsan_write_range(memory, bytes); }
#else
inline constexpr bool kThreadSanitizer = false;
inline void release(void*) {}
inline void acquire(void*) {}
inline void see_read(const void*, std::size_t) {}
inline void see_written(void*, std::size_t) {}
#endif

/// While one is alive, ThreadSanitizer ignores what the running fibre does: the emulation's own lists are used by all of
/// them, one after another.
class Unseen {
public:
#if defined(MOR_CUDA_EMULATION_TSAN)
    Unseen() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
    ~Unseen() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__), AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
#else
    Unseen() {}
    ~Unseen() {}
#endif
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
};

/// One fibre as the sanitizers see it.
struct SanitizerFibre {
#if defined(__SANITIZE_ADDRESS__)
    void* fake_stack = nullptr;
    const void* bottom = nullptr;
    std::size_t size = 0;
    void create(const void* stack, std::size_t bytes) { bottom = stack, size = bytes; }
    void destroy() { unpoison(bottom, size); }
    void adopt() {}
    void leave(SanitizerFibre& to) { __sanitizer_start_switch_fiber(&fake_stack, to.bottom, to.size); }
    /// `first`: this fibre has never run before.
    void arrive(SanitizerFibre& from, bool first) {
        __sanitizer_finish_switch_fiber(first ? nullptr : fake_stack, &from.bottom, &from.size);
    }
#elif defined(MOR_CUDA_EMULATION_TSAN)
    void* fibre = nullptr;
    void create(const void*, std::size_t) { fibre = __tsan_create_fiber(0); }
    void destroy() { __tsan_destroy_fiber(fibre); }
    void adopt() { fibre = __tsan_get_current_fiber(); }
    void leave(SanitizerFibre& to) { __tsan_switch_to_fiber(to.fibre, __tsan_switch_to_fiber_no_sync); }
    void arrive(SanitizerFibre&, bool) {}
#else
    void create(const void*, std::size_t) {}
    void destroy() {}
    void adopt() {}
    void leave(SanitizerFibre&) {}
    void arrive(SanitizerFibre&, bool) {}
#endif
};

}  // namespace cuda_emulation
