// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "cuda_emulation/runtime.hpp"
#include "cuda_emulation/threads.hpp"

namespace cuda_emulation {

/// A word of a kernel's arguments that a pointer may be in.
struct ArgumentWord {
    int argument = 0;         ///< counted from 1
    bool is_pointer = false;  ///< else a word of a struct, which may be anything
    std::uintptr_t value = 0;
};

struct Launch {
    const void* kernel = nullptr;
    dim3 grid, block;
    std::size_t shared = 0;  ///< dynamic, bytes
    Where where;
    std::function<void()> thread;  ///< what one CUDA thread runs
    std::vector<ArgumentWord> words;
};

/// Checks the launch's limits and puts it into the stream; what is wrong is found by cudaGetLastError().
void enqueue(Launch, cudaStream_t);

/// A grid, or what converts to one, and the place in the source where it was written.
struct GridAt {
    dim3 grid;
    Where where;
    GridAt(dim3 grid_, Where where_ = Where::current()) : grid(grid_), where(where_) {}
    GridAt(unsigned x, Where where_ = Where::current()) : grid(x), where(where_) {}
    GridAt(int x, Where where_ = Where::current()) : grid(unsigned(x)), where(where_) {}
    GridAt(std::size_t x, Where where_ = Where::current()) : grid(unsigned(x)), where(where_) {}
    GridAt(unsigned x, unsigned y, unsigned z = 1, Where where_ = Where::current()) : grid(x, y, z), where(where_) {}
};

template <class T>
void add_words(std::vector<ArgumentWord>& words, int argument, const T& value) {
    if constexpr (std::is_pointer_v<T>) {
        words.push_back({argument, true, reinterpret_cast<std::uintptr_t>(value)});
    } else if constexpr (std::is_class_v<T>) {
        static_assert(std::is_trivially_copyable_v<T>, "kernel arguments are copied as bytes");
        T copy = value;
        __builtin_clear_padding(&copy);  // a number beside what a pointer has left there would look like one
        for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= sizeof(T); at += sizeof(std::uintptr_t)) {
            ArgumentWord word{argument, false, 0};
            std::memcpy(&word.value, reinterpret_cast<const char*>(&copy) + at, sizeof(word.value));
            words.push_back(word);
        }
    }
}

}  // namespace cuda_emulation

namespace gpu {

/// As in gpu_compat.hpp. Arguments are copied now; the kernel runs when something waits for the stream.
template <class... P, class... A>
void launch(void (*kernel)(P...), cuda_emulation::GridAt grid, dim3 block, std::size_t shared, cudaStream_t stream,
            A&&... arguments) {
    static_assert(sizeof...(P) == sizeof...(A));
    static_assert((sizeof(P) + ... + 0) <= 4096, "more kernel arguments than a launch takes");
    const std::tuple<P...> values(static_cast<P>(arguments)...);
    cuda_emulation::Launch launch{reinterpret_cast<const void*>(kernel), grid.grid, block, shared, grid.where, {}, {}};
    std::apply(
        [&](const P&... value) {
            int argument = 0;
            (cuda_emulation::add_words(launch.words, ++argument, value), ...);
        },
        values);
    launch.thread = [kernel, values] { std::apply(kernel, values); };
    cuda_emulation::enqueue(std::move(launch), stream);
}

/// Kernels follow each other here, so nothing starts early and nothing has to wait.
template <class... P, class... A>
void launch_early(bool, void (*kernel)(P...), cuda_emulation::GridAt grid, dim3 block, std::size_t shared,
                  cudaStream_t stream, A&&... arguments) {
    launch(kernel, grid, block, shared, stream, std::forward<A>(arguments)...);
}
inline void let_next_start() {}
inline void wait_for_previous() {}

}  // namespace gpu
