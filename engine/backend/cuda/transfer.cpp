// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/transfer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mor::cuda {
namespace {

constexpr std::size_t kAlignment = 256;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

PinnedMemory::PinnedMemory(std::size_t bytes) : size_(bytes) {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "allocate pinned host memory");
    data_ = static_cast<std::byte*>(memory);
}

PinnedMemory::~PinnedMemory() { cudaFreeHost(data_); }

Event::Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "create an event"); }

Event::~Event() { cudaEventDestroy(event_); }

void Event::record(cudaStream_t stream) {
    check(cudaEventRecord(event_, stream), "record an event");
    recorded_ = true;
}

void Event::wait() {
    if (!recorded_) return;
    check(cudaEventSynchronize(event_), "wait for the device");
    recorded_ = false;
}

// ------------------------------------------------------------------------------------------------ to the device

StagingRing::StagingRing(std::shared_ptr<DeviceStream> stream)
    : stream_(std::move(stream)), memory_(std::make_unique<PinnedMemory>(kSection * kSections)), section_(kSection) {}

StagingRing::~StagingRing() { cudaStreamSynchronize(stream_->stream()); }

/// A list longer than a section is rare (a prompt of more than forty thousand tokens): the ring is replaced by a larger
/// one, which waits for the device once.
void StagingRing::grow(std::size_t section) {
    check(cudaStreamSynchronize(stream_->stream()), "wait for the device");
    memory_.reset();
    memory_ = std::make_unique<PinnedMemory>(section * kSections);
    section_ = section;
    current_ = used_ = 0;
}

std::byte* StagingRing::place(std::size_t count) {
    if (count > section_) grow(std::bit_ceil(count));
    if (used_ + count > section_) {
        read_[(current_ + kSections - 1) % kSections].record(stream_->stream());
        current_ = (current_ + 1) % kSections;
        read_[current_].wait();
        used_ = 0;
    }
    std::byte* const at = memory_->data() + current_ * section_ + used_;
    used_ = std::min(aligned(used_ + count), section_);
    return at;
}

const void* StagingRing::put_bytes(const void* host, std::size_t count) {
    std::byte* const at = place(count);
    if (count > 0) std::memcpy(at, host, count);
    return at;
}

void StagingRing::upload(const void* host, std::size_t bytes, void* target) {
    for (std::size_t done = 0; done < bytes;) {
        const std::size_t count = std::min(bytes - done, section_ / 2);
        const void* const staged = put_bytes(static_cast<const std::byte*>(host) + done, count);
        check(cudaMemcpyAsync(static_cast<std::byte*>(target) + done, staged, count, cudaMemcpyHostToDevice,
                              stream_->stream()),
              "copy to the device");
        done += count;
    }
}

// ------------------------------------------------------------------------------------------------ to the host

Readback::Readback(std::shared_ptr<DeviceStream> stream)
    : stream_(std::move(stream)), memory_(std::make_unique<PinnedMemory>(kLeast)) {}

Readback::~Readback() { cudaStreamSynchronize(stream_->stream()); }

void Readback::start(const void* device, std::size_t bytes) {
    done_.wait();  // an operation that failed may have left a copy on its way
    if (bytes > memory_->size()) {
        memory_.reset();
        memory_ = std::make_unique<PinnedMemory>(std::bit_ceil(bytes));
    }
    if (bytes == 0) return;
    check(cudaMemcpyAsync(memory_->data(), device, bytes, cudaMemcpyDeviceToHost, stream_->stream()),
          "copy from the device");
    done_.record(stream_->stream());
}

const void* Readback::finish() {
    done_.wait();
    return memory_->data();
}

void Readback::download(const void* device, std::size_t bytes, void* host) {
    for (std::size_t done = 0; done < bytes;) {
        const std::size_t count = std::min(bytes - done, memory_->size());
        std::memcpy(static_cast<std::byte*>(host) + done, get(static_cast<const std::byte*>(device) + done, count), count);
        done += count;
    }
}

}  // namespace mor::cuda
