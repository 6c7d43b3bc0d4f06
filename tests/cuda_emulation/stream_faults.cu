// SPDX-License-Identifier: Apache-2.0
// Mistakes of the host: waiting too late or for the wrong stream, and wrong arguments of products.
#include "cuda_emulation/planted_faults.hpp"

namespace planted {
namespace {

__global__ void add_one(const float* x, float* y) { *y = *x + 1; }

template <class T>
struct Pinned {
    T* data = nullptr;
    explicit Pinned(int n) { cudaMallocHost(&data, sizeof(T) * std::size_t(n)); }
    ~Pinned() { cudaFreeHost(data); }
};

template <bool Right>
bool host_buffer_reused() {
    Playground p;
    Pinned<float> host(1);
    float* x = p.take<float>(1);
    *host.data = 1;
    cudaMemcpyAsync(x, host.data, sizeof(float), cudaMemcpyHostToDevice, p.stream);
    if (Right) cudaStreamSynchronize(p.stream);
    *host.data = 2;
    return p.value(x) == 1;
}

/// The same with memory that the kernel reads in place.
template <bool Right>
bool staged_list_reused() {
    Playground p;
    Pinned<float> host(1);
    float* y = p.take<float>(1);
    *host.data = 1;
    gpu::launch(add_one, 1, 1, 0, p.stream, host.data, y);
    if (Right) cudaStreamSynchronize(p.stream);
    *host.data = 5;
    return p.value(y) == 2;
}

template <bool Right>
bool result_read_early() {
    Playground p;
    Pinned<float> host(1);
    *host.data = 0;
    float* x = p.zeros<float>(1);
    float* y = p.take<float>(1);
    gpu::launch(add_one, 1, 1, 0, p.stream, x, y);
    cudaMemcpyAsync(host.data, y, sizeof(float), cudaMemcpyDeviceToHost, p.stream);
    if (Right) cudaStreamSynchronize(p.stream);
    return *host.data == 1;
}

/// One stream writes what another reads.
template <bool Right>
bool other_stream() {
    Playground p;
    cudaStream_t second = nullptr;
    cudaEvent_t written = nullptr;
    cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&written, cudaEventDisableTiming);
    float* x = p.zeros<float>(1);
    float* y = p.zeros<float>(1);
    cudaStreamSynchronize(p.stream);
    gpu::launch(add_one, 1, 1, 0, p.stream, x, y);
    cudaEventRecord(written, p.stream);
    if (Right) cudaStreamWaitEvent(second, written);
    float* z = p.take<float>(1);
    gpu::launch(add_one, 1, 1, 0, second, y, z);
    cudaStreamSynchronize(second);
    const bool right = p.value(z) == 2;
    cudaEventDestroy(written);
    cudaStreamDestroy(second);
    return right;
}

/// The event was recorded before the work it should stand for.
template <bool Right>
bool event_too_early() {
    Playground p;
    Pinned<float> host(1);
    *host.data = 0;
    float* x = p.zeros<float>(1);
    float* y = p.take<float>(1);
    cudaEvent_t done = nullptr;
    cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
    if (!Right) cudaEventRecord(done, p.stream);
    gpu::launch(add_one, 1, 1, 0, p.stream, x, y);
    cudaMemcpyAsync(host.data, y, sizeof(float), cudaMemcpyDeviceToHost, p.stream);
    if (Right) cudaEventRecord(done, p.stream);
    cudaEventSynchronize(done);
    const bool right = *host.data == 1;
    cudaEventDestroy(done);
    return right;
}

/// y = x W^T for row-major x [4, 8] and W [8, 8], of which cuBLAS sees the transposes; W is the identity.
template <int LeadingW, int LeadingY, int Columns>
bool product() {
    Playground p;
    float* x = p.counting(4 * 8);
    float* w = p.zeros<float>(8 * 8);
    float* y = p.zeros<float>(4 * 8);
    const float one = 1, zero = 0;
    for (int i = 0; i < 8; ++i) {
        cudaMemcpyAsync(w + i * 9, &one, sizeof(float), cudaMemcpyHostToDevice, p.stream);
    }
    cudaStreamSynchronize(p.stream);
    cublasHandle_t blas = nullptr;
    cublasCreate(&blas);
    cublasSetStream(blas, p.stream);
    cublasSgemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, 8, Columns, 8, &one, w, LeadingW, x, 8, &zero, y, LeadingY);
    bool right = true;
    for (int i = 0; i < 4 * 8; ++i) right &= p.value(y + i) == float(i);
    cublasDestroy(blas);
    return right;
}

constexpr Fault kFaults[] = {
    {"host-buffer-reused", host_buffer_reused<false>},
    {"right-buffer", host_buffer_reused<true>},
    {"staged-list-reused", staged_list_reused<false>},
    {"right-list", staged_list_reused<true>},
    {"result-read-early", result_read_early<false>},
    {"right-result", result_read_early<true>},
    {"other-stream", other_stream<false>},
    {"right-streams", other_stream<true>},
    {"event-too-early", event_too_early<false>},
    {"right-event", event_too_early<true>},
    {"leading-dimension-too-small", product<4, 8, 4>},
    {"leading-dimension-too-large", product<8, 9, 4>},
    {"too-many-columns", product<8, 8, 5>},
    {"right-product", product<8, 8, 4>},
};

}  // namespace

std::span<const Fault> stream_faults() { return kFaults; }

}  // namespace planted
