// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "backend/cuda/device_stream.hpp"

/// What goes between host and device, always through pinned memory, so that no copy waits unless it must.
namespace mor::cuda {

/// Memory of the host that the device reads and writes in place.
class PinnedMemory {
public:
    explicit PinnedMemory(std::size_t bytes);
    ~PinnedMemory();
    PinnedMemory(const PinnedMemory&) = delete;
    PinnedMemory& operator=(const PinnedMemory&) = delete;
    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A point in the stream that the host can wait for.
class Event {
public:
    Event();
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    void record(cudaStream_t);
    void wait();  ///< returns at once when nothing was recorded

private:
    cudaEvent_t event_ = nullptr;
    bool recorded_ = false;
};

/// Pinned host memory that the device reads in place, in a ring. put() copies a list; the pointer it returns stays valid
/// for all work enqueued before the ring comes round, which waits for an event and never for the whole stream.
///
/// The ring has sections. Work that reads a section may still be enqueued when the next one is begun, by an
/// operation with several lists, but not when that is left: then an event is recorded which says when the device has read
/// the section.
class StagingRing {
public:
    explicit StagingRing(std::shared_ptr<DeviceStream>);
    ~StagingRing();  ///< waits for the device to have read what is in it
    StagingRing(const StagingRing&) = delete;
    StagingRing& operator=(const StagingRing&) = delete;

    template <class T>
    const T* put(std::span<const T> host) {
        return static_cast<const T*>(put_bytes(host.data(), host.size_bytes()));
    }

    /// Copies host memory of any size to the device, piece by piece.
    void upload(const void* host, std::size_t bytes, void* target);

private:
    static constexpr std::size_t kSection = std::size_t{1} << 20;
    static constexpr std::size_t kSections = 4;

    const void* put_bytes(const void* host, std::size_t count);
    std::byte* place(std::size_t count);
    void grow(std::size_t section);

    std::shared_ptr<DeviceStream> stream_;
    std::unique_ptr<PinnedMemory> memory_;
    std::array<Event, kSections> read_;
    std::size_t section_ = 0;  ///< bytes of one
    std::size_t current_ = 0;  ///< section
    std::size_t used_ = 0;     ///< bytes of the current section
};

/// Pinned host memory that results are copied to: start() enqueues the copy, finish() waits for it and for nothing that
/// was enqueued behind it. The content stays until the next start().
class Readback {
public:
    explicit Readback(std::shared_ptr<DeviceStream>);
    ~Readback();  ///< waits for a copy that nobody has finished
    Readback(const Readback&) = delete;
    Readback& operator=(const Readback&) = delete;

    void start(const void* device, std::size_t bytes);
    const void* finish();
    const void* get(const void* device, std::size_t bytes) {
        start(device, bytes);
        return finish();
    }

    /// Copies device memory of any size to the host.
    void download(const void* device, std::size_t bytes, void* host);

private:
    static constexpr std::size_t kLeast = std::size_t{1} << 20;

    std::shared_ptr<DeviceStream> stream_;
    std::unique_ptr<PinnedMemory> memory_;
    Event done_;
};

}  // namespace mor::cuda
