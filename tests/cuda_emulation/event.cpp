// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <vector>

#include "cuda_emulation/device.hpp"
#include "cuda_emulation/report.hpp"
#include "cuda_emulation/stream.hpp"

using namespace cuda_emulation;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool reached(const Event& event) { return !event.stream || event.stream->done >= event.position; }

}  // namespace

cudaError_t cudaEventCreate(cudaEvent_t* event, Where where) {
    return cudaEventCreateWithFlags(event, cudaEventDefault, where);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags, Where where) {
    const Call call;
    if (call.error()) return failed(call.error());
    *event = new Event;
    (*event)->timing = !(flags & cudaEventDisableTiming);
    (*event)->where = where;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    const Call call;
    if (!event) return failed(cudaErrorInvalidResourceHandle);
    if (!reached(*event)) run_until(*event->stream, event->position);
    delete event;
    return failed(call.error());
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream || !event) return failed(cudaErrorInvalidResourceHandle);
    if (call.error()) return failed(call.error());
    event->stream = stream->shared_from_this();
    event->time = std::make_shared<double>(0);
    event->tag = std::make_unique<std::uint64_t>(0);
    event->position = ~std::uint64_t(0);  // not reached while it is put in, whatever runs then
    enqueue(*stream, [time = event->time, tag = event->tag.get()] {
        const Unseen unseen;  // asking for the time writes to the stack, which was the host's a moment ago
        *time = now();
        release(tag);
    });
    event->position = stream->enqueued;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const Call call;
    if (!event) return failed(cudaErrorInvalidResourceHandle);
    if (!event->stream) return cudaSuccess;
    count([](Statistics& all) { ++all.waits; });
    run_until(*event->stream, event->position);
    acquire(event->tag.get());
    return failed(device_error());
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    const Call call;
    if (!event) return failed(cudaErrorInvalidResourceHandle);
    if (!reached(*event)) {
        run_until(*event->stream, event->stream->done + 1);
        return cudaErrorNotReady;
    }
    acquire(event->tag.get());
    return failed(call.error());
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
    const Call call;
    Stream* stream = checked(handle);
    if (!stream || !event) return failed(cudaErrorInvalidResourceHandle);
    if (!event->stream || event->stream.get() == stream) return failed(call.error());
    stream->work.push_back({{}, event->stream, event->position, {}});
    ++stream->enqueued;
    return failed(call.error());
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
    const Call call;
    if (!start || !end || !start->stream || !end->stream || !start->timing || !end->timing) {
        return failed(cudaErrorInvalidResourceHandle);
    }
    if (!reached(*start) || !reached(*end)) return cudaErrorNotReady;
    *milliseconds = float((*end->time - *start->time) * 1e3);
    return failed(call.error());
}
