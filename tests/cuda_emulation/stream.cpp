// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/stream.hpp"

#include <algorithm>
#include <vector>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/memory.hpp"
#include "cuda_emulation/report.hpp"

namespace cuda_emulation {
namespace {

struct Streams {
    std::shared_ptr<Stream> standard = std::make_shared<Stream>();
    std::vector<std::shared_ptr<Stream>> others;
};

Streams& streams() {
    static auto* all = new Streams;
    return *all;
}

void add(Stream& stream, Work work) {
    if (kThreadSanitizer) {
        work.tag = std::make_unique<std::uint64_t>(0);
        release(work.tag.get());
    }
    stream.work.push_back(std::move(work));
    ++stream.enqueued;
}

/// The default stream waits for the others and they for it, but for those made with cudaStreamNonBlocking.
void wait_for_default(Stream& stream) {
    Streams& all = streams();
    if (&stream != all.standard.get()) {
        if (!(stream.flags & cudaStreamNonBlocking) && all.standard->done < all.standard->enqueued) {
            add(stream, {{}, all.standard, all.standard->enqueued, {}});
        }
        return;
    }
    for (const auto& other : all.others) {
        if (!(other->flags & cudaStreamNonBlocking) && other->done < other->enqueued) {
            add(stream, {{}, other, other->enqueued, {}});
        }
    }
}

}  // namespace

#if defined(MOR_CUDA_EMULATION_TSAN)
StreamRole::StreamRole() : fibre_(__tsan_create_fiber(0)) {}
StreamRole::~StreamRole() { __tsan_destroy_fiber(fibre_); }
void* StreamRole::enter() {
    void* host = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fibre_, __tsan_switch_to_fiber_no_sync);
    return host;
}
void StreamRole::leave(void* host) { __tsan_switch_to_fiber(host, __tsan_switch_to_fiber_no_sync); }
#else
StreamRole::StreamRole() = default;
StreamRole::~StreamRole() = default;
void* StreamRole::enter() { return nullptr; }
void StreamRole::leave(void*) {}
#endif

Stream* checked(cudaStream_t stream) {
    Streams& all = streams();
    if (!stream) return all.standard.get();
    for (const auto& other : all.others) {
        if (other.get() == stream) return stream;
    }
    fault("a stream that is none, or was destroyed");
    return nullptr;
}

void enqueue(Stream& stream, std::function<void()> run) {
    wait_for_default(stream);
    add(stream, {std::move(run), nullptr, 0, {}});
    if (settings().streams == StreamMode::Eager) run_until(stream, stream.enqueued);
    if (settings().streams == StreamMode::Random) {
        run_until(stream, stream.done + device_random().below(stream.enqueued - stream.done + 1));
    }
}

void run_until(Stream& stream, std::uint64_t count) {
    if (stream.done >= count || stream.work.empty()) return;
    const DeviceWorks works;
    while (stream.done < count && !stream.work.empty()) {
        Work work = std::move(stream.work.front());
        stream.work.pop_front();
        if (work.other) run_until(*work.other, work.count);
        stream.role.play([&] {
            if (work.tag) acquire(work.tag.get());
            if (work.other) acquire(&work.other->tag);
            if (work.run) work.run();
            release(&stream.tag);
        });
        ++stream.done;
    }
}

void finish(Stream& stream) {
    run_until(stream, stream.enqueued);
    acquire(&stream.tag);
}

void finish_streams() {
    Streams& all = streams();
    finish(*all.standard);
    for (const auto& other : all.others) finish(*other);
}

void forget_streams() { streams().others.clear(); }

void report_stream_leaks() {
    for (const auto& other : streams().others)
        fault("leak: the stream made at %s is not destroyed", place(other->where).c_str());
}

}  // namespace cuda_emulation

using namespace cuda_emulation;

cudaError_t cudaStreamCreate(cudaStream_t* stream, Where where) {
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault, where);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags, Where where) {
    const Call call;
    if (call.error()) return failed(call.error());
    auto made = std::make_shared<Stream>();
    made->flags = flags;
    made->where = where;
    *stream = made.get();
    streams().others.push_back(std::move(made));
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    const Call call;
    Stream* stream = checked(handle);
    if (!handle || !stream) return failed(cudaErrorInvalidResourceHandle);
    run_until(*stream, stream->enqueued);
    std::erase_if(streams().others, [stream](const auto& other) { return other.get() == stream; });
    return failed(call.error());
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    count([](Statistics& all) { ++all.waits; });
    finish(*stream);
    return failed(device_error());
}

/// Asking again and again gets there: every question runs a piece of work.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (stream->done < stream->enqueued) {
        run_until(*stream, stream->done + 1);
        return cudaErrorNotReady;
    }
    acquire(&stream->tag);
    return failed(call.error());
}
