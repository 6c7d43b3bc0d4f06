// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>

#include "backend/cuda/memory.hpp"

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

/// See Staging. The ring has sections. Work that reads a section may still be enqueued when the next one is begun, by an
/// operation with several lists, but not when that is left: then an event is recorded which says when the device has read
/// the section.
class StagingRing final : public Staging {
public:
    explicit StagingRing(std::shared_ptr<DeviceStream>);
    ~StagingRing() override;  ///< waits for the device to have read what is in it

    const void* put_bytes(const void* host, std::size_t count) override;

    /// Copies host memory of any size to the device, piece by piece.
    void upload(const void* host, std::size_t bytes, void* target);

private:
    static constexpr std::size_t kSection = std::size_t{1} << 20;
    static constexpr std::size_t kSections = 4;

    std::byte* place(std::size_t count);
    void grow(std::size_t section);

    std::shared_ptr<DeviceStream> stream_;
    std::unique_ptr<PinnedMemory> memory_;
    std::array<Event, kSections> read_;
    std::size_t section_ = 0;  ///< bytes of one
    std::size_t current_ = 0;  ///< section
    std::size_t used_ = 0;     ///< bytes of the current section
};

/// See Readback.
class PinnedReadback final : public Readback {
public:
    explicit PinnedReadback(std::shared_ptr<DeviceStream>);
    ~PinnedReadback() override;  ///< waits for a copy that nobody has finished
    void start(const void* device, std::size_t bytes) override;
    const void* finish() override;

    /// Copies device memory of any size to the host.
    void download(const void* device, std::size_t bytes, void* host);

private:
    static constexpr std::size_t kLeast = std::size_t{1} << 20;

    std::shared_ptr<DeviceStream> stream_;
    std::unique_ptr<PinnedMemory> memory_;
    Event done_;
};

}  // namespace mor::cuda
