// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "cuda_emulation/cuda_emulation.hpp"

/// Small programs with one mistake each, and their right twins. A process runs one: `planted_faults NAME`.
namespace planted {

/// Runs to a value that is right without the mistake; false: the value is wrong.
using Program = bool (*)();

struct Fault {
    const char* name;
    Program run;
};
std::span<const Fault> kernel_faults();
std::span<const Fault> memory_faults();
std::span<const Fault> stream_faults();

/// Device memory and a stream for a program; frees both.
class Playground {
public:
    Playground() { cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); }
    ~Playground() {
        for (int i = 0; i < count_; ++i) cudaFreeAsync(memory_[i], stream);
        cudaStreamSynchronize(stream);
        cudaStreamDestroy(stream);
    }
    Playground(const Playground&) = delete;
    Playground& operator=(const Playground&) = delete;

    template <class T>
    T* take(int n) {
        T* memory = nullptr;
        cudaMallocAsync(&memory, sizeof(T) * std::size_t(n), stream);
        memory_[count_++] = memory;
        return memory;
    }
    template <class T>
    T* zeros(int n) {
        T* memory = take<T>(n);
        cudaMemsetAsync(memory, 0, sizeof(T) * std::size_t(n), stream);
        return memory;
    }
    /// 0, 1, 2, ...
    float* counting(int n) {
        for (int i = 0; i < n; ++i) host_[i] = float(i);
        float* memory = take<float>(n);
        cudaMemcpyAsync(memory, host_, sizeof(float) * std::size_t(n), cudaMemcpyHostToDevice, stream);
        cudaStreamSynchronize(stream);
        return memory;
    }
    template <class T>
    T value(const T* device) {
        T found{};
        cudaMemcpyAsync(&found, device, sizeof(T), cudaMemcpyDeviceToHost, stream);
        cudaStreamSynchronize(stream);
        return found;
    }

    cudaStream_t stream = nullptr;

private:
    static constexpr int kMost = 4096;
    float host_[kMost];
    void* memory_[16];
    int count_ = 0;
};

}  // namespace planted
